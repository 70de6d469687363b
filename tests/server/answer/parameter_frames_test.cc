#include "server/answer/parameter_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/answer/element_sums.h"
#include "server/base/half.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/host_tensors.h"
#include "tests/fakes/text_message.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class ParameterFramesTest : public ::testing::Test {
 protected:
  ParametersCall Plan(const std::string& text) {
    absl::StatusOr<ParametersCall> call =
        PlanParameters(Parse<v1::GetParametersRequest>(text), "sha", parameters_, server_.context());
    EXPECT_TRUE(call.ok()) << call.status();
    return *std::move(call);
  }

  // All messages, and the frames that they came in; checks what holds for every one.
  std::vector<v1::GetParametersResponse> Encode(const std::string& text) {
    const RequestContext context = server_.context();
    ParameterFrames frames(Plan(text), context);
    std::vector<v1::GetParametersResponse> messages;
    while (std::optional<Frame> frame = frames.Next()) {
      std::string bytes = frame->head;
      if (frame->tail_size > 0) bytes.append(reinterpret_cast<const char*>(frame->tail), frame->tail_size);
      v1::GetParametersResponse& message = messages.emplace_back();
      EXPECT_TRUE(message.ParseFromString(bytes));
      EXPECT_EQ(message.SerializeAsString(), bytes);
      EXPECT_LE(bytes.size(), server_.limits.max_message_bytes);
      const std::string& data = message.chunk().data();
      EXPECT_EQ(message.chunk().crc32(), Crc32({reinterpret_cast<const std::byte*>(data.data()), data.size()}));
      frames_.push_back(*std::move(frame));
    }
    EXPECT_FALSE(frames.Next().has_value());
    return messages;
  }

  // The elements of the one float32 tensor that the chunks hold.
  static std::vector<float> Floats(const std::vector<v1::GetParametersResponse>& messages) {
    std::string data;
    for (const v1::GetParametersResponse& message : messages) {
      if (!message.has_chunk()) continue;
      EXPECT_EQ(message.chunk().offset(), data.size());
      data += message.chunk().data();
    }
    std::vector<float> floats(data.size() / sizeof(float));
    std::memcpy(floats.data(), data.data(), data.size());
    return floats;
  }

  FakeServer server_;
  std::vector<Parameter> parameters_ = {{"transformer.wte.weight", -1, "", CountingTensor({5, 3})},
                                        {"transformer.h.0.ln_1.bias", 0, "", CountingTensor({4})}};
  std::vector<Frame> frames_;
};

TEST_F(ParameterFramesTest, AHeaderTheTensorsAndATrailer) {
  parameters_.push_back({"lm_head.weight", -1, "transformer.wte.weight", parameters_[0].values});
  const auto messages = Encode("");
  ASSERT_EQ(messages.size(), 5u);
  const v1::ParametersHeader& header = messages[0].header();
  EXPECT_EQ(header.provenance().weights_sha256(), "weights-digest");
  EXPECT_EQ(header.provenance().request_sha256(), "sha");
  EXPECT_EQ(header.tensors(), 3u);
  EXPECT_EQ(header.data_bytes(), (15 + 4 + 15) * 4u);
  ASSERT_EQ(header.parameters_size(), 3);
  EXPECT_EQ(header.parameters(1).name(), "transformer.h.0.ln_1.bias");
  EXPECT_THAT(header.parameters(0).shape(), ElementsAre(5, 3));
  EXPECT_EQ(header.parameters(2).tied_to(), "transformer.wte.weight");
  const v1::TensorInfo& info = messages[2].chunk().info();
  EXPECT_EQ(messages[2].chunk().tensor(), 1u);
  EXPECT_EQ(info.name(), "transformer.h.0.ln_1.bias");
  EXPECT_EQ(info.hugging_face_name(), info.name());
  EXPECT_EQ(info.asked_name(), info.name());
  EXPECT_EQ(info.layer(), 0);
  EXPECT_EQ(info.dtype(), v1::DTYPE_FLOAT32);
  EXPECT_THAT(info.shape(), ElementsAre(4));
  const v1::ParametersTrailer& trailer = messages[4].trailer();
  EXPECT_EQ(trailer.tensors(), 3u);
  EXPECT_EQ(trailer.data_bytes(), header.data_bytes());
  EXPECT_EQ(trailer.nonfinite(), 0u);
}

TEST_F(ParameterFramesTest, WholeFloat32ParametersAreLentFromTheirOwnMemory) {
  Encode("parameters { name: 'wte.weight' }");
  EXPECT_EQ(frames_[1].tail, parameters_[0].values.data);
  EXPECT_EQ(frames_[1].owner, parameters_[0].values.owner);
}

TEST_F(ParameterFramesTest, RowsComeInTheOrderAsked) {
  const auto messages = Encode("parameters { name: 'wte.*' rows: [4, 0, 4] }");
  EXPECT_THAT(Floats(messages), ElementsAre(12, 13, 14, 0, 1, 2, 12, 13, 14));
  EXPECT_EQ(messages[1].chunk().info().asked_name(), "wte.*");
  EXPECT_THAT(messages[1].chunk().info().shape(), ElementsAre(3, 3));
  EXPECT_THAT(messages[0].header().parameters(0).shape(), ElementsAre(5, 3)) << "of the whole parameter";
  EXPECT_THAT(Floats(Encode("parameters { name: 'h.0.ln_1.bias' rows: [3, 1] }")), ElementsAre(3, 1));
}

TEST_F(ParameterFramesTest, LargeParametersAreCutIntoMessagesOfTheLimit) {
  parameters_[0].values = CountingTensor({40, 30});
  server_.limits.max_message_bytes = 400;
  const auto whole = Encode("parameters { name: 'wte.weight' }");
  EXPECT_GT(whole.size(), 14u);
  const std::vector<float> floats = Floats(whole);
  ASSERT_THAT(floats, SizeIs(1200));
  for (size_t i = 0; i < floats.size(); ++i) ASSERT_EQ(floats[i], static_cast<float>(i));
  std::vector<float> expected;
  std::string rows;
  for (int row = 39; row >= 0; --row) {
    absl::StrAppend(&rows, " rows: ", row);
    for (int i = 0; i < 30; ++i) expected.push_back(static_cast<float>(row * 30 + i));
  }
  EXPECT_EQ(Floats(Encode(absl::StrCat("parameters { name: 'wte.weight'", rows, " }"))), expected);
}

TEST_F(ParameterFramesTest, ARowThatFitsNoMessageIsCut) {
  parameters_[0].values = CountingTensor({3, 300});
  server_.limits.max_message_bytes = 400;
  const std::vector<float> floats = Floats(Encode("parameters { name: 'wte.weight' rows: [2, 1] }"));
  ASSERT_THAT(floats, SizeIs(600));
  for (size_t i = 0; i < 300; ++i) {
    ASSERT_EQ(floats[i], static_cast<float>(600 + i));
    ASSERT_EQ(floats[300 + i], static_cast<float>(300 + i));
  }
}

TEST_F(ParameterFramesTest, NarrowTypesAreRoundedAndInfinitiesCountedBeforeThat) {
  const float infinity = std::numeric_limits<float>::infinity();
  parameters_[1].values = TensorOf({4}, {1.0f / 3, 1e6f, infinity, -2});
  for (const auto& [dtype, narrow] : {std::pair("DTYPE_FLOAT16", &HalfOf), {"DTYPE_BFLOAT16", &BfloatOf}}) {
    const auto messages = Encode(absl::StrCat("parameters { name: 'h.0.ln_1.bias' } dtype: ", dtype));
    EXPECT_EQ(messages[0].header().data_bytes(), 8u);
    std::vector<uint16_t> got(4);
    ASSERT_EQ(messages[1].chunk().data().size(), 8u);
    std::memcpy(got.data(), messages[1].chunk().data().data(), 8);
    EXPECT_THAT(got, ElementsAre(narrow(1.0f / 3), narrow(1e6f), narrow(infinity), narrow(-2)));
    EXPECT_EQ(messages[2].trailer().nonfinite(), 1u);
  }
}

TEST_F(ParameterFramesTest, AListSendsNoTensors) {
  const auto messages = Encode("list_only: true");
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].header().tensors(), 2u);
  EXPECT_EQ(messages[0].header().data_bytes(), 19 * 4u);
  EXPECT_TRUE(messages[1].has_trailer());
  EXPECT_EQ(messages[1].trailer().tensors(), 0u);
  EXPECT_EQ(messages[1].trailer().data_bytes(), 0u);
}

}  // namespace
}  // namespace hydrophone
