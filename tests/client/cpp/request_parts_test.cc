#include "client/cpp/request_parts.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;

v1::ExtractRequest Inputs(int count) {
  v1::ExtractRequest request;
  for (int i = 0; i < count; ++i) request.add_inputs()->set_text("x");
  request.add_hooks()->set_hook_point("hook_embed");
  return request;
}

v1::Run* AddRun(v1::ExtractRequest* request, uint32_t input) {
  v1::Run* run = request->add_runs();
  run->set_input(input);
  return run;
}

TEST(SmallestParts, WithoutRunsEachInputIsOne) {
  EXPECT_THAT(SmallestParts(Inputs(2)), ElementsAre(RequestPart{0, 1, 0, 1}, RequestPart{1, 1, 1, 1}));
}

TEST(SmallestParts, NoInputsAreOnePart) { EXPECT_THAT(SmallestParts(Inputs(0)), ElementsAre(RequestPart{})); }

TEST(SmallestParts, RunsOverOneInputStayTogether) {
  v1::ExtractRequest request = Inputs(2);
  for (const uint32_t input : {0U, 0U, 1U, 1U, 1U}) AddRun(&request, input);
  EXPECT_THAT(SmallestParts(request), ElementsAre(RequestPart{0, 1, 0, 2}, RequestPart{1, 1, 2, 3}));
}

TEST(SmallestParts, APatchHoldsInputsTogether) {
  v1::ExtractRequest request = Inputs(4);
  for (const uint32_t input : {0U, 1U, 2U, 3U}) AddRun(&request, input);
  request.mutable_runs(0)->add_interventions()->mutable_patch()->set_run(1);
  EXPECT_THAT(SmallestParts(request),
              ElementsAre(RequestPart{0, 2, 0, 2}, RequestPart{2, 1, 2, 1}, RequestPart{3, 1, 3, 1}));
}

TEST(SmallestParts, ABaselineFarAwayHoldsAllBetweenTogether) {
  v1::ExtractRequest request = Inputs(3);
  for (const uint32_t input : {0U, 1U, 2U}) AddRun(&request, input);
  request.mutable_runs(2)->set_baseline(0);
  EXPECT_THAT(SmallestParts(request), ElementsAre(RequestPart{0, 3, 0, 3}));
}

TEST(SmallestParts, RunsOutOfInputOrderAreNotCut) {
  v1::ExtractRequest request = Inputs(2);
  for (const uint32_t input : {0U, 1U, 0U}) AddRun(&request, input);
  EXPECT_THAT(SmallestParts(request), ElementsAre(RequestPart{0, 2, 0, 3}));
}

TEST(SmallestParts, AnInputWithoutRunsGoesWithTheOneBefore) {
  v1::ExtractRequest request = Inputs(3);
  for (const uint32_t input : {0U, 2U}) AddRun(&request, input);
  EXPECT_THAT(SmallestParts(request), ElementsAre(RequestPart{0, 2, 0, 1}, RequestPart{2, 1, 1, 1}));
}

TEST(SmallestParts, WhatTheServerWillRefuseIsNotCut) {
  v1::ExtractRequest request = Inputs(2);
  for (const uint32_t input : {0U, 7U}) AddRun(&request, input);
  EXPECT_THAT(SmallestParts(request), ElementsAre(RequestPart{0, 2, 0, 2}));
  request.mutable_runs(1)->set_input(1);
  request.mutable_runs(1)->set_baseline(9);
  EXPECT_THAT(SmallestParts(request), ElementsAre(RequestPart{0, 2, 0, 2}));
}

TEST(SmallestParts, ASelectorThatNamesRunsMustFindSomeInEachPart) {
  v1::ExtractRequest request = Inputs(2);
  request.mutable_hooks(0)->add_runs(1);
  EXPECT_THAT(SmallestParts(request), ElementsAre(RequestPart{0, 2, 0, 2}));
  request.mutable_hooks(0)->add_runs(0);
  EXPECT_THAT(SmallestParts(request), ElementsAre(RequestPart{0, 2, 0, 2})) << "in another order";
  request.mutable_hooks(0)->mutable_runs()->SwapElements(0, 1);
  EXPECT_EQ(SmallestParts(request).size(), 2u);
}

TEST(SmallestParts, PositionsListedRunByRunAreNotTakenApart) {
  v1::ExtractRequest request = Inputs(2);
  request.mutable_hooks(0)->mutable_positions()->add_per_input()->add_at(0);
  EXPECT_EQ(SmallestParts(request).size(), 1u);
}

TEST(Join, IsTheRangeFromTheFirstToTheLast) { EXPECT_EQ(Join({1, 1, 2, 2}, {3, 2, 6, 4}), (RequestPart{1, 4, 2, 8})); }

TEST(RequestFor, NumbersItsRunsFromZero) {
  v1::ExtractRequest request = Inputs(2);
  for (const uint32_t input : {0U, 0U, 1U, 1U}) AddRun(&request, input);
  request.mutable_runs(3)->set_baseline(2);
  request.mutable_runs(3)->add_interventions()->mutable_patch()->set_run(2);
  request.mutable_inputs(1)->set_text("second");
  for (const uint32_t run : {1U, 3U}) request.mutable_hooks(0)->add_runs(run);
  v1::Metric* metric = request.add_metrics();
  for (const uint32_t run : {0U, 2U}) metric->add_runs(run);
  v1::ExtractRequest common = request;
  common.clear_inputs();
  common.clear_runs();
  const v1::ExtractRequest part = RequestFor({1, 1, 2, 2}, request, common);
  ASSERT_EQ(part.inputs_size(), 1);
  EXPECT_EQ(part.inputs(0).text(), "second");
  ASSERT_EQ(part.runs_size(), 2);
  EXPECT_EQ(part.runs(1).input(), 0u);
  EXPECT_EQ(part.runs(1).baseline(), 0u);
  EXPECT_EQ(part.runs(1).interventions(0).patch().run(), 0u);
  EXPECT_THAT(part.hooks(0).runs(), ElementsAre(1));
  EXPECT_THAT(part.metrics(0).runs(), ElementsAre(0));
}

TEST(WithTextsAsInputs, TextsComeFirst) {
  v1::ExtractRequest request = Inputs(1);
  request.add_texts("a");
  request.add_texts("b");
  const v1::ExtractRequest moved = WithTextsAsInputs(request);
  EXPECT_EQ(moved.texts_size(), 0);
  ASSERT_EQ(moved.inputs_size(), 3);
  EXPECT_EQ(moved.inputs(1).text(), "b");
  EXPECT_EQ(moved.inputs(2).text(), "x");
}

}  // namespace
}  // namespace hydrophone::client
