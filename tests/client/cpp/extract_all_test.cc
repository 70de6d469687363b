#include "client/cpp/extract_all.h"

#include <numeric>

#include "client/cpp/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_service.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

v1::ExtractRequest RequestOf(const std::vector<std::string>& texts, v1::Layout layout = v1::LAYOUT_ROWS) {
  v1::ExtractRequest request;
  for (const std::string& text : texts) request.add_inputs()->set_text(text);
  v1::HookSelector* hook = request.add_hooks();
  hook->set_hook_point("attn.c_proj");
  hook->add_layers(0);
  request.set_layout(layout);
  return request;
}

std::vector<int> InputsPerRequest(const FakeService& service) {
  std::vector<int> counts;
  for (const auto& request : service.requests()) counts.push_back(request.inputs_size());
  return counts;
}

// First number of each row of the tensors, one after the other.
std::vector<float> Column(const Extraction& extraction) {
  std::vector<float> column;
  for (const ReceivedTensor& tensor : extraction.tensors) {
    const auto floats = ToFloats(tensor).value();
    for (size_t i = 0; i < floats.size(); i += kToyWidth) column.push_back(floats[i]);
  }
  return column;
}

TEST(ExtractAll, SplitsByTheServersLimitsAndKeepsTheOrder) {
  FakeService service;
  service.model.mutable_limits()->set_max_inputs_per_request(2);
  Extraction extraction;
  GatheringSink sink(&extraction);
  std::vector<std::pair<size_t, size_t>> progress;
  const absl::Status status = ExtractAll(*service.Connect(), RequestOf({"b", "d", "ff", "h", "j"}), &sink,
                                         [&](size_t done, size_t total) { progress.emplace_back(done, total); });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(InputsPerRequest(service), ElementsAre(2, 2, 1));
  EXPECT_THAT(progress, ElementsAre(Pair(2, 5), Pair(4, 5), Pair(5, 5)));
  EXPECT_THAT(Column(extraction), ElementsAre(49, 50, 51, 51, 52, 53)) << "half of the letters' codes";
  std::vector<uint32_t> indices;
  for (const auto& input : extraction.inputs) indices.push_back(input.index());
  EXPECT_THAT(indices, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(extraction.tensors[1].info.runs(), ElementsAre(2, 3));
}

TEST(ExtractAll, SkippedInputsKeepTheirNumber) {
  FakeService service;
  service.model.mutable_limits()->set_max_inputs_per_request(2);
  v1::ExtractRequest request = RequestOf({"b", "", "d"}, v1::LAYOUT_PER_RUN);
  request.set_skip_bad_inputs(true);
  Extraction extraction;
  GatheringSink sink(&extraction);
  ASSERT_TRUE(ExtractAll(*service.Connect(), request, &sink).ok());
  ASSERT_EQ(extraction.tensors.size(), 2u);
  EXPECT_THAT(extraction.tensors[1].info.runs(), ElementsAre(2));
}

TEST(ExtractAll, RowsNameTheRunsThatAreMade) {
  FakeService service;
  service.model.mutable_limits()->set_max_inputs_per_request(3);
  v1::ExtractRequest request = RequestOf({"a", "b", "", "d"});
  request.set_skip_bad_inputs(true);
  Extraction extraction;
  GatheringSink sink(&extraction);
  ASSERT_TRUE(ExtractAll(*service.Connect(), request, &sink).ok());
  ASSERT_EQ(extraction.tensors.size(), 2u);
  EXPECT_THAT(extraction.tensors[0].info.runs(), ElementsAre(0, 1));
  EXPECT_THAT(extraction.tensors[1].info.runs(), ElementsAre(3));
}

TEST(ExtractAll, AsksForTokenCountsOnlyWhenTheBoundIsNotEnough) {
  FakeService service;
  service.model.mutable_limits()->set_max_tokens_per_request(8);
  Extraction extraction;
  GatheringSink sink(&extraction);
  ASSERT_TRUE(ExtractAll(*service.Connect(), RequestOf({"aaaa", "bbbb"}), &sink).ok());
  EXPECT_EQ(service.tokenize_calls(), 0);
  ASSERT_TRUE(ExtractAll(*service.Connect(), RequestOf({"aaaa", "bbbb", "cccc", "dddd", "eeee"}), &sink).ok());
  EXPECT_EQ(service.tokenize_calls(), 1);
  EXPECT_THAT(InputsPerRequest(service), ElementsAre(2, 4, 1)) << "two tokens each, eight a request";
}

TEST(ExtractAll, HalvesWhatTheServerCallsTooLarge) {
  FakeService service;
  service.on_extract = [](const v1::ExtractRequest& request) {
    if (request.inputs_size() <= 2) return Script{ToyStream(request), grpc::Status::OK};
    return Script{{}, StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "too large", "TOO_LARGE")};
  };
  Extraction extraction;
  GatheringSink sink(&extraction);
  ASSERT_TRUE(ExtractAll(*service.Connect(), RequestOf({"b", "d", "f", "h", "j"}), &sink).ok());
  EXPECT_THAT(InputsPerRequest(service), ElementsAre(5, 2, 2, 1));
  EXPECT_THAT(Column(extraction), ElementsAre(49, 50, 51, 52, 53));
}

TEST(ExtractAll, AnInputThatAloneIsTooLargeIsRefusedByItsOwnIndex) {
  FakeService service;
  service.on_extract = [](const v1::ExtractRequest& request) {
    for (int i = 0; i < request.inputs_size(); ++i) {
      if (request.inputs(i).text() == "bad") {
        return Script{{},
                      StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "too large", "TOO_LARGE",
                                        {{absl::StrCat("inputs[", i, "]"), "too long"}})};
      }
    }
    return Script{ToyStream(request), grpc::Status::OK};
  };
  Extraction extraction;
  GatheringSink sink(&extraction);
  const absl::Status status = ExtractAll(*service.Connect(), RequestOf({"a", "b", "c", "bad"}), &sink);
  ASSERT_EQ(ViolationsOf(status).size(), 1u);
  EXPECT_EQ(ViolationsOf(status)[0].field, "inputs[3]");
}

// Each text clean, and compared with itself edited.
v1::ExtractRequest ComparisonOf(const std::vector<std::string>& texts) {
  v1::ExtractRequest request = RequestOf(texts, v1::LAYOUT_PER_RUN);
  for (uint32_t i = 0; i < texts.size(); ++i) {
    request.add_runs()->set_input(i);
    v1::Run* edited = request.add_runs();
    edited->set_input(i);
    edited->set_baseline(2 * i);
    request.mutable_hooks(0)->add_runs(2 * i + 1);
  }
  return request;
}

TEST(ExtractAll, ARunGoesWithItsBaselineAndTheAnswerCountsAllRuns) {
  FakeService service;
  service.model.mutable_limits()->set_max_inputs_per_request(2);
  Extraction extraction;
  GatheringSink sink(&extraction);
  ASSERT_TRUE(ExtractAll(*service.Connect(), ComparisonOf({"a", "b", "c"}), &sink).ok());
  EXPECT_THAT(InputsPerRequest(service), ElementsAre(2, 1));
  EXPECT_EQ(service.requests()[1].runs(1).baseline(), 0u);
  EXPECT_THAT(service.requests()[1].hooks(0).runs(), ElementsAre(1));
  ASSERT_EQ(extraction.values.size(), 3u);
  EXPECT_THAT(extraction.values[2].info().runs(), ElementsAre(5));
  EXPECT_EQ(extraction.values[2].info().baseline(), 4u);
}

TEST(ExtractAll, TokensOfAllRunsCount) {
  FakeService service;
  service.model.mutable_limits()->set_max_tokens_per_request(5);
  Extraction extraction;
  GatheringSink sink(&extraction);
  ASSERT_TRUE(ExtractAll(*service.Connect(), ComparisonOf({"aaaa", "bbbb"}), &sink).ok());
  EXPECT_THAT(InputsPerRequest(service), ElementsAre(1, 1)) << "two tokens an input, two runs each";
}

TEST(ExtractAll, ScoresNameTheRunOfTheWhole) {
  FakeService service;
  service.model.mutable_limits()->set_max_inputs_per_request(1);
  v1::ExtractRequest request = RequestOf({"a", "b"}, v1::LAYOUT_PER_RUN);
  request.mutable_hooks(0)->mutable_logit_lens()->set_top_k(1);
  Extraction extraction;
  GatheringSink sink(&extraction);
  ASSERT_TRUE(ExtractAll(*service.Connect(), request, &sink).ok());
  ASSERT_EQ(extraction.values.size(), 2u);
  EXPECT_EQ(extraction.values[1].scores(0).run(), 1u);
}

TEST(ExtractAll, RequestsWhosePartsBelongTogetherAreSentAsTheyAre) {
  FakeService service;
  service.model.mutable_limits()->set_max_inputs_per_request(1);
  v1::ExtractRequest request = RequestOf({"a", "b"});
  request.add_runs()->set_input(1);
  Extraction extraction;
  GatheringSink sink(&extraction);
  ASSERT_TRUE(ExtractAll(*service.Connect(), request, &sink).ok());
  EXPECT_THAT(InputsPerRequest(service), ElementsAre(2));
}

TEST(ExtractAll, TenThousandInputsAreOneArraysRowsInOrder) {
  FakeService service;
  std::vector<std::string> texts;
  for (int i = 0; i < 10000; ++i) texts.emplace_back(1 + static_cast<size_t>(i % 3), static_cast<char>('a' + i % 26));
  v1::ExtractRequest request = RequestOf(texts);
  request.mutable_hooks(0)->mutable_positions()->add_at(-1);
  Extraction extraction;
  GatheringSink sink(&extraction);
  ASSERT_TRUE(ExtractAll(*service.Connect(), request, &sink).ok());
  const auto column = Column(extraction);
  ASSERT_EQ(column.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) ASSERT_EQ(column[i], 0.5F * static_cast<float>(texts[i][0])) << i;
  EXPECT_EQ(service.requests().size(), 10u);
}

}  // namespace
}  // namespace hydrophone::client
