#include "server/plan/parameters_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/host_tensors.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<Parameter> SomeParameters() {
  const TensorView wte = CountingTensor({5, 2});
  return {{"transformer.wte.weight", -1, "", wte},
          {"transformer.h.0.mlp.c_fc.weight", 0, "", CountingTensor({2, 3})},
          {"transformer.h.0.mlp.c_fc.bias", 0, "", CountingTensor({3})},
          {"transformer.h.1.mlp.c_fc.weight", 1, "", CountingTensor({2, 3})},
          {"transformer.h.1.mlp.c_fc.bias", 1, "", CountingTensor({3})},
          {"lm_head.weight", -1, "transformer.wte.weight", wte}};
}

class ParametersCallTest : public ::testing::Test {
 protected:
  absl::StatusOr<ParametersCall> Plan(const std::string& text) {
    return PlanParameters(Parse<v1::GetParametersRequest>(text), "sha", SomeParameters(), server_.context());
  }

  // The names selected, or the violations.
  std::vector<std::string> Names(const std::string& text) {
    const absl::StatusOr<ParametersCall> call = Plan(text);
    if (!call.ok()) return Lines(call.status());
    std::vector<std::string> names;
    for (const AskedParameter& tensor : call->tensors) names.push_back(tensor.parameter.name);
    return names;
  }

  FakeServer server_;
};

TEST_F(ParametersCallTest, NamesWorkWithAndWithoutThePrefix) {
  for (const char* name : {"transformer.h.1.mlp.c_fc.bias", "h.1.mlp.c_fc.bias", "h[1].mlp.c_fc.bias"}) {
    EXPECT_THAT(Names(absl::StrCat("parameters { name: '", name, "' }")), ElementsAre("transformer.h.1.mlp.c_fc.bias"));
  }
  EXPECT_THAT(Names("parameters { name: 'lm_head.weight' }"), ElementsAre("lm_head.weight"));
}

TEST_F(ParametersCallTest, TensorsComeInTheOrderAsked) {
  EXPECT_THAT(Names("parameters { name: 'lm_head.weight' } parameters { name: 'wte.weight' }"),
              ElementsAre("lm_head.weight", "transformer.wte.weight"));
}

TEST_F(ParametersCallTest, PatternsSelectAllThatMatchByEitherName) {
  EXPECT_THAT(Names("parameters { name: 'h.*.mlp.c_fc.bias' }"),
              ElementsAre("transformer.h.0.mlp.c_fc.bias", "transformer.h.1.mlp.c_fc.bias"));
  EXPECT_THAT(Names("parameters { name: 'transformer.h.1.*' }"),
              ElementsAre("transformer.h.1.mlp.c_fc.weight", "transformer.h.1.mlp.c_fc.bias"));
  EXPECT_THAT(Names("parameters { name: '{wte,lm_head}.weight' }"),
              ElementsAre("transformer.wte.weight", "lm_head.weight"));
}

TEST_F(ParametersCallTest, NothingListedIsEverythingWhole) {
  const absl::StatusOr<ParametersCall> call = Plan("");
  ASSERT_TRUE(call.ok());
  EXPECT_EQ(call->tensors.size(), 6u);
  EXPECT_EQ(call->data_bytes, (10 + 6 + 3 + 6 + 3 + 10) * 4u);
  EXPECT_EQ(call->tensors[2].asked_name, "transformer.h.0.mlp.c_fc.bias");
}

TEST_F(ParametersCallTest, RowsChangeTheShapeAndMayRepeat) {
  const absl::StatusOr<ParametersCall> call =
      Plan("parameters { name: 'wte.weight' rows: [4, 0, 4] } dtype: DTYPE_FLOAT16");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_THAT(call->tensors[0].Shape(), ElementsAre(3, 2));
  EXPECT_THAT(call->tensors[0].rows, ElementsAre(4, 0, 4));
  EXPECT_EQ(call->data_bytes, 3 * 2 * 2u);
}

TEST_F(ParametersCallTest, RowsOutOfRangeAreRefusedOfEveryParameterSelected) {
  EXPECT_THAT(Names("parameters { name: 'wte.weight' rows: [0, 5] }"),
              ElementsAre("parameters[0].rows[1]: got 5, expected below 5, the rows of transformer.wte.weight"));
  EXPECT_THAT(Names("parameters { name: 'h.0.*' rows: 2 }"),
              ElementsAre("parameters[0].rows[0]: got 2, expected below 2, the rows of "
                          "transformer.h.0.mlp.c_fc.weight"));
}

TEST_F(ParametersCallTest, UnknownNamesAreRefusedWithTheNearest) {
  EXPECT_THAT(Names("parameters { name: 'wte.wieght' }"),
              ElementsAre(AllOf(HasSubstr("parameters[0].name: got \"wte.wieght\""), HasSubstr("wte.weight"))));
  EXPECT_THAT(Names("parameters { name: 'transformer.h.0.mlp.c_fc.bais' }"),
              ElementsAre(HasSubstr("transformer.h.0.mlp.c_fc.bias")));
  EXPECT_THAT(Names("parameters { name: 'transformer.h.7.*' }"), ElementsAre(HasSubstr("which no parameter has")));
  EXPECT_THAT(Names("parameters { }"), ElementsAre(HasSubstr("a name that list_only gives")));
}

TEST_F(ParametersCallTest, AParameterIsSelectedOnce) {
  EXPECT_THAT(Names("parameters { name: 'wte.weight' } parameters { name: '*wte*' }"),
              ElementsAre("parameters[1].name: got transformer.wte.weight, which parameters[0] selects, expected each "
                          "once"));
}

TEST_F(ParametersCallTest, LongNamesAreRefusedUnread) {
  EXPECT_THAT(Names(absl::StrCat("parameters { name: '", std::string(1025, '*'), "' }")),
              ElementsAre("parameters[0].name: got 1025 bytes, expected at most 1024"));
}

TEST_F(ParametersCallTest, PreconditionsAreChecked) {
  EXPECT_EQ(Plan("model: 'other'").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Plan("weights_sha256: 'other'").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Plan("model: 'fake-gpt2' weights_sha256: 'weights-digest'").ok());
}

TEST_F(ParametersCallTest, LimitsAreKept) {
  const auto refused = [&](const std::string& text) {
    const absl::Status status = Plan(text).status();
    EXPECT_EQ(ReasonOf(status), "TOO_LARGE") << status;
    return Lines(status);
  };
  EXPECT_THAT(refused("max_response_bytes: 151"), ElementsAre(HasSubstr("max_response_bytes")));
  EXPECT_THAT(Names("parameters { name: '*.bias' } max_response_bytes: 24"), SizeIs(2));
  server_.limits.max_response_bytes = 151;
  EXPECT_THAT(refused("dtype: DTYPE_BFLOAT16"), ElementsAre(HasSubstr("152"))) << "as float32";
  EXPECT_TRUE(Plan("list_only: true").ok());
  server_.limits.max_tensors_per_request = 5;
  EXPECT_THAT(refused("list_only: true"), ElementsAre(HasSubstr("tensors")));
  server_.limits.max_hooks_per_request = 1;
  EXPECT_THAT(refused("parameters { name: 'wte.weight' } parameters { name: 'x' }"),
              ElementsAre(HasSubstr("selectors")));
}

}  // namespace
}  // namespace hydrophone
