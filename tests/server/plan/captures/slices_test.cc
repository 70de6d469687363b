#include "server/plan/captures/slices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "server/core/errors.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Slices of ten rows, thirty tokens, 1000 bytes.
Limits TenRows() {
  Limits limits;
  limits.slice_tokens = 10;
  limits.max_batch_tokens = 30;
  limits.slice_bytes = 1000;
  return limits;
}

// Runs of so many tokens, no two of which begin alike.
std::vector<PlannedRun> RunsOf(const std::vector<size_t>& lengths) {
  std::vector<PlannedRun> runs;
  for (size_t length : lengths) {
    const auto number = static_cast<uint32_t>(runs.size());
    runs.push_back({number, std::vector<uint32_t>(length, number)});
  }
  return runs;
}

// The first run of each slice, and the run after its last.
std::vector<std::pair<uint32_t, uint32_t>> Cut(const std::vector<PlannedRun>& runs, const RunLinks& links,
                                               std::vector<uint64_t> bytes = {}) {
  bytes.resize(runs.size());
  std::vector<std::pair<uint32_t, uint32_t>> cut;
  for (const PlanSlice& slice : CutIntoSlices(runs, bytes, links, TenRows())) {
    cut.emplace_back(slice.first_run, slice.end_run);
  }
  return cut;
}

TEST(SlicesTest, TakeRunsUntilTheyAreFull) {
  EXPECT_THAT(Cut(RunsOf({4, 6, 1, 10, 3}), RunLinks(5)), ElementsAre(Pair(0, 2), Pair(2, 3), Pair(3, 4), Pair(4, 5)));
  EXPECT_THAT(Cut({}, RunLinks(0)), IsEmpty());
}

TEST(SlicesTest, ALongRunIsASliceOfItsOwn) {
  EXPECT_THAT(Cut(RunsOf({3, 25, 3}), RunLinks(3)), ElementsAre(Pair(0, 1), Pair(1, 2), Pair(2, 3)));
}

TEST(SlicesTest, JoinedRunsStayTogetherWithThoseBetweenThem) {
  RunLinks links(6);
  links.Join(3, 1);
  EXPECT_THAT(Cut(RunsOf({8, 8, 8, 8, 8, 2}), links), ElementsAre(Pair(0, 1), Pair(1, 4), Pair(4, 6)));
}

TEST(SlicesTest, LinksThatOverlapMakeOneSlice) {
  RunLinks links(5);
  links.Join(0, 2);
  links.JoinAll({4, 1, 2});
  EXPECT_THAT(Cut(RunsOf({9, 9, 9, 9, 9}), links), ElementsAre(Pair(0, 5)));
}

TEST(SlicesTest, ABeginningInCommonCountsOnce) {
  std::vector<PlannedRun> runs;
  for (uint32_t i = 0; i < 4; ++i) runs.push_back({i, {1, 2, 3, 4, 5, 6, 7, 100 + i}});
  const std::vector<uint64_t> bytes(runs.size());
  const std::vector<PlanSlice> slices = CutIntoSlices(runs, bytes, RunLinks(4), TenRows());
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0].end_run, 3u) << "seven rows and one for each run";
  EXPECT_EQ(slices[0].rows, 10);
  EXPECT_EQ(slices[1].rows, 8) << "the next slice computes the beginning again";
}

TEST(SlicesTest, TokensBoundASliceThatHasFewRows) {
  EXPECT_THAT(Cut({5, {0, std::vector<uint32_t>(8, 7)}}, RunLinks(5)), ElementsAre(Pair(0, 3), Pair(3, 5)));
}

TEST(SlicesTest, CapturedBytesFillASliceToo) {
  EXPECT_THAT(Cut(RunsOf({1, 1, 1, 1}), RunLinks(4), {600, 400, 1, 2000}),
              ElementsAre(Pair(0, 2), Pair(2, 3), Pair(3, 4)));
}

// Requests over the fake server's model, in slices of four rows.
class PlanSlicesTest : public testing::Test {
 protected:
  PlanSlicesTest() { server_.limits.slice_tokens = 4; }

  ExtractCall Planned(const std::string& request) {
    absl::StatusOr<ExtractCall> call = PlanExtract(Parse<v1::ExtractRequest>(request), "sha", server_.context());
    EXPECT_TRUE(call.ok()) << call.status();
    return call.ok() ? *call : ExtractCall();
  }

  FakeServer server_;
};

TEST_F(PlanSlicesTest, ASmallRequestIsOneSlice) {
  EXPECT_THAT(Planned("texts: ['abc'] hook_points: 'hook_embed'").plan.slices, IsEmpty());
}

TEST_F(PlanSlicesTest, CapturesComeSliceBySliceInForwardOrder) {
  const ExtractCall call = Planned("texts: ['abc', 'def', 'g'] hook_points: ['blocks.*.hook_mlp_out', 'hook_embed']");
  ASSERT_EQ(call.plan.slices.size(), 2u);
  const PlanSlice& second = call.plan.slices[1];
  EXPECT_EQ(second.first_run, 1u);
  EXPECT_EQ(second.end_run, 3u);
  const Capture& first_of_second = call.plan.captures[second.first_capture];
  EXPECT_EQ(first_of_second.point.site, Site::kEmbed);
  EXPECT_THAT(first_of_second.runs, ElementsAre(1, 2));
  EXPECT_EQ(call.formats[second.first_capture].first_tensor, second.first_capture) << "a tensor of the first run each";
}

TEST_F(PlanSlicesTest, ATensorOfAllRowsIsCutIntoPieces) {
  const ExtractCall call = Planned("texts: ['abc', 'def'] layout: LAYOUT_ROWS hook_points: 'hook_embed'");
  ASSERT_EQ(call.plan.captures.size(), 2u);
  EXPECT_EQ(call.tensors, 1u);
  EXPECT_EQ(call.formats[1].first_tensor, 0u);
  EXPECT_EQ(call.formats[1].first_row, 3);
  ASSERT_NE(call.formats[1].whole, nullptr);
  EXPECT_EQ(call.formats[1].whole->rows, 6);
  EXPECT_FALSE(call.formats[0].continues);
  EXPECT_TRUE(call.formats[1].continues);
}

TEST_F(PlanSlicesTest, ASummaryOfAllRowsIsNotCut) {
  const ExtractCall call =
      Planned("texts: ['abc', 'def'] layout: LAYOUT_ROWS view: VIEW_SUMMARY hook_points: 'hook_embed'");
  EXPECT_THAT(call.plan.slices, IsEmpty());
}

TEST_F(PlanSlicesTest, SlicesOfWhichNothingIsCapturedAreNotComputed) {
  const ExtractCall call = Planned("texts: ['abc', 'def', 'ghi'] hooks { hook_point: 'hook_embed' runs: 1 }");
  ASSERT_EQ(call.plan.slices.size(), 1u);
  EXPECT_EQ(call.plan.slices[0].first_run, 1u);
}

TEST_F(PlanSlicesTest, ASliceIsAPlanOfItsOwn) {
  const ExtractCall call = Planned(
      "texts: ['abc', 'def', 'gh'] hooks { hook_point: 'hook_embed' positions { at: -1 } }"
      " runs { input: 0 } runs { input: 1 } runs { input: 2 interventions { hook_point: 'blocks.0.hook_mlp_out' "
      "positions { slice: ':' } patch { run: 1 positions { slice: ':2' } } } }");
  ASSERT_EQ(call.plan.slices.size(), 2u);
  const Plan part = PlanOf(call.plan.slices[1], call.plan);
  EXPECT_EQ(part.runs.size(), 2u);
  EXPECT_THAT(part.first_token, ElementsAre(0, 3, 5));
  ASSERT_EQ(part.captures.size(), 1u);
  EXPECT_THAT(part.captures[0].runs, ElementsAre(0, 1));
  EXPECT_THAT(part.captures[0].rows, ElementsAre(2, 4));
  ASSERT_EQ(part.edits.size(), 1u);
  EXPECT_EQ(part.edits[0].run, 1u);
  EXPECT_EQ(part.edits[0].source.run, 0u);
  EXPECT_EQ(part.capture_bytes, call.plan.slices[1].capture_bytes);
}

TEST_F(PlanSlicesTest, JoinedRunsThatAreTooManyAreRefused) {
  server_.limits.max_batch_tokens = 5;
  const absl::StatusOr<ExtractCall> call =
      PlanExtract(Parse<v1::ExtractRequest>("texts: ['abc', 'def'] layout: LAYOUT_ROWS view: VIEW_SUMMARY hook_points: "
                                            "'hook_embed'"),
                  "sha", server_.context());
  EXPECT_EQ(ReasonOf(call.status()), "TOO_LARGE");
  EXPECT_THAT(std::string(call.status().message()), testing::HasSubstr("must be computed together"));
}

}  // namespace
}  // namespace hydrophone
