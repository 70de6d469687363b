#include "server/plan/inputs/runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/plan/inputs/positions.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Inputs of these lengths; an input of length 0 is a skipped one.
std::vector<PlannedInput> Inputs(const std::vector<size_t>& lengths) {
  std::vector<PlannedInput> inputs(lengths.size());
  for (size_t i = 0; i < lengths.size(); ++i) inputs[i].token_ids.assign(lengths[i], static_cast<uint32_t>(i));
  return inputs;
}

TEST(ReadRuns, WithoutRunsEachInputIsOne) {
  Violations violations;
  auto table = ReadRuns({}, Inputs({2, 3}), Limits(), &violations);
  ASSERT_TRUE(table.ok());
  EXPECT_THAT(table->numbers, ElementsAre(0, 1));
  EXPECT_THAT(table->first_token, ElementsAre(0, 2, 5));
  EXPECT_THAT(table->made[1].token_ids, ElementsAre(1, 1, 1));
  EXPECT_EQ(table->made[1].input, 1u);
}

TEST(ReadRuns, SkippedInputsMakeNoRunAndKeepTheirNumbers) {
  Violations violations;
  auto table = ReadRuns({}, Inputs({2, 0, 3}), Limits(), &violations);
  EXPECT_THAT(table->lengths, ElementsAre(2, kNoRun, 3));
  EXPECT_THAT(table->numbers, ElementsAre(0, 2));
  EXPECT_THAT(table->made_index, ElementsAre(0, 0, 1));
  EXPECT_THAT(table->first_token, ElementsAre(0, 2, 5));
}

TEST(ReadRuns, SeveralRunsMayNameOneInput) {
  Violations violations;
  auto request = Parse<v1::ExtractRequest>("runs { input: 1 } runs { input: 1 } runs { input: 0 }");
  auto table = ReadRuns(request.runs(), Inputs({2, 3}), Limits(), &violations);
  EXPECT_THAT(table->first_token, ElementsAre(0, 3, 6, 8));
  EXPECT_EQ(table->made[2].input, 0u);
}

TEST(ReadRuns, NamesBadInputsAndKeys) {
  Violations violations;
  auto request = Parse<v1::ExtractRequest>("runs { input: 2 } runs { key: '" + std::string(300, 'x') + "' }");
  ASSERT_TRUE(ReadRuns(request.runs(), Inputs({2, 3}), Limits(), &violations).ok());
  EXPECT_THAT(Lines(violations), ElementsAre("runs[0].input: got 2, expected an index below 2",
                                             "runs[1].key: got 300 bytes, expected at most 256"));
}

TEST(ReadRuns, RefusesMoreTokensThanTheLimit) {
  Limits limits;
  limits.max_tokens_per_request = 4;
  Violations violations;
  absl::Status status = ReadRuns({}, Inputs({2, 3}), limits, &violations).status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre("inputs: needs 5 tokens, the limit is 4"));
}

TEST(ReadRuns, WithoutInputsThereAreNoRuns) {
  Violations violations;
  auto request = Parse<v1::ExtractRequest>("runs { input: 0 }");
  auto table = ReadRuns(request.runs(), {}, Limits(), &violations);
  ASSERT_TRUE(table.ok());
  EXPECT_THAT(table->made, IsEmpty());
}

TEST(ReadRuns, BaselinesAreNumberedAsTheRunsThatAreMade) {
  Violations violations;
  auto request = Parse<v1::ExtractRequest>("runs { input: 1 } runs { input: 0 } runs { input: 2 baseline: 1 }");
  std::vector<PlannedInput> inputs = Inputs({2, 0, 3});
  inputs[1].skipped = "bad";
  auto table = ReadRuns(request.runs(), inputs, Limits(), &violations);
  EXPECT_THAT(Lines(violations), IsEmpty());
  EXPECT_THAT(table->baseline, ElementsAre(std::nullopt, 0u));
}

TEST(ReadRuns, NoRunHasABaselineUnlessItSaysSo) {
  Violations violations;
  auto table = ReadRuns({}, Inputs({2, 3}), Limits(), &violations);
  EXPECT_THAT(table->baseline, ElementsAre(std::nullopt, std::nullopt));
}

TEST(ReadRuns, RefusesBaselinesOutOfRangeAndItself) {
  Violations violations;
  auto request = Parse<v1::ExtractRequest>("runs { baseline: 2 } runs { baseline: 1 }");
  ASSERT_TRUE(ReadRuns(request.runs(), Inputs({2}), Limits(), &violations).ok());
  EXPECT_THAT(Lines(violations), ElementsAre("runs[0].baseline: got 2, expected an index below 2",
                                             "runs[1].baseline: got 1, the run itself, expected another run"));
}

TEST(ReadRuns, RefusesABaselineWhoseInputWasSkipped) {
  Violations violations;
  auto request = Parse<v1::ExtractRequest>("runs { input: 0 } runs { input: 1 baseline: 0 }");
  std::vector<PlannedInput> inputs = Inputs({0, 3});
  inputs[0].skipped = "bad";
  ASSERT_TRUE(ReadRuns(request.runs(), inputs, Limits(), &violations).ok());
  EXPECT_THAT(Lines(violations),
              ElementsAre("runs[1].baseline: got 0, whose input was skipped, expected a run that is made"));
}

TEST(ReadRuns, ABaselineWhoseInputIsRefusedIsNotRefusedAgain) {
  Violations violations;
  auto request = Parse<v1::ExtractRequest>("runs { input: 0 } runs { input: 1 baseline: 0 }");
  ASSERT_TRUE(ReadRuns(request.runs(), Inputs({0, 3}), Limits(), &violations).ok());
  EXPECT_THAT(Lines(violations), IsEmpty());
}

}  // namespace
}  // namespace hydrophone
