#include "client/cpp/files/array_gatherer.h"

#include <fcntl.h>

#include <cstring>

#include "client/cpp/extract_all.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/client/cpp/fake_service.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ArrayGathererTest : public ::testing::Test {
 protected:
  ArrayGathererTest() { service_.model.mutable_limits()->set_max_inputs_per_request(2); }

  // Inputs of 1, 2 and 3 tokens, in two requests.
  v1::ExtractRequest Request(v1::Layout layout) const {
    v1::ExtractRequest request;
    for (const char* text : {"a", "bc", "def"}) request.add_inputs()->set_text(text);
    v1::HookSelector* hook = request.add_hooks();
    hook->set_hook_point("attn.c_proj");
    hook->add_layers(0);
    request.set_layout(layout);
    return request;
  }

  std::vector<StoredArray> GatherAll(const v1::ExtractRequest& request, ArrayGatherer* gatherer) {
    const absl::Status status = ExtractAll(*service_.Connect(), request, gatherer);
    EXPECT_TRUE(status.ok()) << status;
    return gatherer->Finish().value();
  }

  // Those of the captures: the last two are the inputs' tokens.
  std::vector<StoredArray> Gather(const v1::ExtractRequest& request, ArrayGatherer* gatherer) {
    std::vector<StoredArray> arrays = GatherAll(request, gatherer);
    arrays.resize(arrays.size() - 2);
    return arrays;
  }

  template <typename T>
  std::vector<T> Read(const StoredArray& array) {
    const std::string path = directory_ / "copy";
    FileDescriptor file(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), path);
    for (const Segment& segment : array.segments) EXPECT_TRUE(spool_->CopyTo(segment, file).ok());
    const std::string bytes = ReadFile(path);
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }

  FakeService service_;
  const TemporaryDirectory directory_;
  const std::unique_ptr<Spool> spool_ = Spool::Create(directory_.path()).value();
};

TEST_F(ArrayGathererTest, RowsOfAllInputsAreOneArrayAndTheirCountsAnother) {
  ArrayGatherer gatherer(Request(v1::LAYOUT_ROWS), spool_.get());
  const auto arrays = Gather(Request(v1::LAYOUT_ROWS), &gatherer);
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].name, "blocks.0.attn.c_proj");
  EXPECT_THAT(arrays[0].shape, ElementsAre(6, kToyWidth));
  std::vector<float> expected;
  for (const char c : std::string("abcdef")) expected.insert(expected.end(), kToyWidth, 0.5F * static_cast<float>(c));
  EXPECT_EQ(Read<float>(arrays[0]), expected);
  EXPECT_EQ(arrays[1].name, "rows");
  EXPECT_THAT(Read<int64_t>(arrays[1]), ElementsAre(1, 2, 3));
  EXPECT_EQ(gatherer.received_bytes(), 6 * kToyWidth * sizeof(float));
}

TEST_F(ArrayGathererTest, TheInputsTokensAreTwoArraysInEitherLayout) {
  for (const v1::Layout layout : {v1::LAYOUT_ROWS, v1::LAYOUT_PER_RUN}) {
    v1::ExtractRequest request = Request(layout);
    request.mutable_inputs(1)->set_text("");
    ArrayGatherer gatherer(request, spool_.get());
    const auto arrays = GatherAll(request, &gatherer);
    const StoredArray& ids = arrays[arrays.size() - 2];
    EXPECT_EQ(ids.name, "token_ids");
    EXPECT_THAT(Read<int64_t>(ids), ElementsAre('a', 'd', 'e', 'f'));
    EXPECT_EQ(arrays.back().name, "token_counts");
    EXPECT_THAT(Read<int64_t>(arrays.back()), ElementsAre(1, 0, 3));
  }
}

TEST_F(ArrayGathererTest, EachIdsPieceIsInTheMetadata) {
  ArrayGatherer gatherer(Request(v1::LAYOUT_ROWS), spool_.get());
  v1::InputInfo input;
  for (const uint32_t id : {262U, 64U, 262U, 50300U}) input.add_token_ids(id);
  for (const char* piece : {"Ġthe", "a", "Ġthe", ""}) input.add_pieces(piece);
  ASSERT_TRUE(gatherer.OnInput(input).ok());
  const Metadata metadata = gatherer.DescribeSources();
  EXPECT_EQ(metadata.back().first, "hydrophone.pieces");
  EXPECT_EQ(nlohmann::json::parse(metadata.back().second),
            (nlohmann::json{{"262", "Ġthe"}, {"64", "a"}, {"50300", ""}}));
}

TEST_F(ArrayGathererTest, ALensesLogitsAreNotNamedAsThePointsValue) {
  ArrayGatherer gatherer(Request(v1::LAYOUT_PER_RUN), spool_.get());
  ReceivedTensor tensor{v1::TensorInfo(), *TensorBytes::CopyOf("abcd")};
  tensor.info.set_name("hook_embed");
  tensor.info.set_dtype(v1::DTYPE_FLOAT32);
  tensor.info.add_runs(0);
  tensor.info.add_shape(1);
  tensor.info.set_lens_logits(true);
  ASSERT_TRUE(gatherer.OnInput(v1::InputInfo()).ok());
  ASSERT_TRUE(gatherer.OnTensor(tensor).ok());
  EXPECT_EQ(gatherer.Finish().value().at(0).name, "hook_embed.lens_logits.input0");
}

TEST_F(ArrayGathererTest, SeveralPointsOverSeveralRequestsStayApart) {
  ArrayGatherer gatherer(Request(v1::LAYOUT_ROWS), spool_.get());
  v1::ExtractRequest request = Request(v1::LAYOUT_ROWS);
  request.add_hooks()->set_hook_point("mlp.c_proj");
  const auto arrays = Gather(request, &gatherer);
  ASSERT_EQ(arrays.size(), 4u);
  EXPECT_EQ(arrays[2].name, "blocks.1.mlp.c_proj");
  EXPECT_EQ(Read<float>(arrays[2]), std::vector<float>(6 * kToyWidth, 0.1F - 1.0F));
}

TEST_F(ArrayGathererTest, AnArrayARunWhenAskedFor) {
  ArrayGatherer gatherer(Request(v1::LAYOUT_PER_RUN), spool_.get());
  const auto arrays = Gather(Request(v1::LAYOUT_PER_RUN), &gatherer);
  ASSERT_EQ(arrays.size(), 3u);
  EXPECT_EQ(arrays[2].name, "blocks.0.attn.c_proj.input2");
  EXPECT_THAT(arrays[2].shape, ElementsAre(3, kToyWidth));
}

TEST_F(ArrayGathererTest, SkippedInputsKeepTheirNumber) {
  v1::ExtractRequest request = Request(v1::LAYOUT_PER_RUN);
  request.mutable_inputs(0)->set_text("");
  ArrayGatherer gatherer(request, spool_.get());
  const auto arrays = Gather(request, &gatherer);
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].name, "blocks.0.attn.c_proj.input1");
}

TEST_F(ArrayGathererTest, RunsOfTheRequestNameTheArrays) {
  v1::ExtractRequest request = Request(v1::LAYOUT_PER_RUN);
  for (const uint32_t input : {0U, 0U, 1U, 2U}) request.add_runs()->set_input(input);
  ArrayGatherer gatherer(request, spool_.get());
  const auto arrays = Gather(request, &gatherer);
  ASSERT_EQ(arrays.size(), 4u);
  EXPECT_EQ(arrays[3].name, "blocks.0.attn.c_proj.run3");
}

TEST_F(ArrayGathererTest, RowsOfRunsAreCountedByRun) {
  v1::ExtractRequest request = Request(v1::LAYOUT_ROWS);
  for (const uint32_t input : {0U, 0U, 1U, 2U}) request.add_runs()->set_input(input);
  ArrayGatherer gatherer(request, spool_.get());
  const auto arrays = Gather(request, &gatherer);
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_THAT(Read<int64_t>(arrays[1]), ElementsAre(1, 1, 2, 3));
}

TEST_F(ArrayGathererTest, ValuesAreRefused) {
  v1::ExtractRequest request = Request(v1::LAYOUT_PER_RUN);
  request.set_view(v1::VIEW_SUMMARY);
  ArrayGatherer gatherer(request, spool_.get());
  EXPECT_TRUE(absl::IsInvalidArgument(ExtractAll(*service_.Connect(), request, &gatherer)));
}

TEST_F(ArrayGathererTest, SkippedInputsHaveNoRows) {
  ArrayGatherer gatherer(Request(v1::LAYOUT_ROWS), spool_.get());
  v1::ExtractRequest request = Request(v1::LAYOUT_ROWS);
  request.mutable_inputs(0)->set_text("");
  request.mutable_inputs(0)->set_key("nothing");
  const auto arrays = Gather(request, &gatherer);
  EXPECT_THAT(Read<int64_t>(arrays[1]), ElementsAre(0, 2, 3));
  EXPECT_EQ(gatherer.skipped(), 1u);
  const auto inputs = nlohmann::json::parse(gatherer.DescribeSources()[1].second);
  EXPECT_EQ(inputs[0]["key"], "nothing");
  EXPECT_EQ(inputs[0]["skipped"], "no tokens");
  EXPECT_EQ(inputs[2]["tokens"], 3);
}

TEST_F(ArrayGathererTest, PointsWithOtherRowsHaveCountsOfTheirOwn) {
  ArrayGatherer gatherer(Request(v1::LAYOUT_ROWS), spool_.get());
  v1::ExtractRequest request = Request(v1::LAYOUT_ROWS);
  v1::HookSelector* last = request.add_hooks();
  last->set_hook_point("mlp.c_proj");
  last->add_layers(0);
  last->mutable_positions()->add_at(-1);
  const auto arrays = Gather(request, &gatherer);
  ASSERT_EQ(arrays.size(), 4u);
  EXPECT_EQ(arrays[2].name, "blocks.0.attn.c_proj.rows");
  EXPECT_THAT(Read<int64_t>(arrays[2]), ElementsAre(1, 2, 3));
  EXPECT_EQ(arrays[3].name, "blocks.0.mlp.c_proj.rows");
  EXPECT_THAT(Read<int64_t>(arrays[3]), ElementsAre(1, 1, 1));
}

TEST_F(ArrayGathererTest, APointAskedForTwiceHasTwoNames) {
  ArrayGatherer gatherer(Request(v1::LAYOUT_ROWS), spool_.get());
  v1::ExtractRequest request = Request(v1::LAYOUT_ROWS);
  *request.add_hooks() = request.hooks(0);
  const auto arrays = Gather(request, &gatherer);
  ASSERT_EQ(arrays.size(), 3u);
  EXPECT_EQ(arrays[1].name, "blocks.0.attn.c_proj.selector1");
}

TEST_F(ArrayGathererTest, AnotherServerInTheMidstIsRefused) {
  int calls = 0;
  service_.on_extract = [&](const v1::ExtractRequest& request) {
    Script script{ToyStream(request), grpc::Status::OK};
    if (++calls == 2) script.messages[0].mutable_header()->mutable_provenance()->set_numerics("other");
    return script;
  };
  ArrayGatherer gatherer(Request(v1::LAYOUT_ROWS), spool_.get());
  const absl::Status status = ExtractAll(*service_.Connect(), Request(v1::LAYOUT_ROWS), &gatherer);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("numerics other"));
}

TEST_F(ArrayGathererTest, ProvenanceHoldsEveryRequestsDigest) {
  ArrayGatherer gatherer(Request(v1::LAYOUT_ROWS), spool_.get());
  Gather(Request(v1::LAYOUT_ROWS), &gatherer);
  const auto provenance = nlohmann::json::parse(gatherer.DescribeSources()[0].second);
  EXPECT_EQ(provenance["model"], "toy");
  EXPECT_THAT(provenance["request_sha256"], ElementsAre("request of 2", "request of 1"));
}

}  // namespace
}  // namespace hydrophone::client
