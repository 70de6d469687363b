#include "server/plan/captures/captures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Requests over the texts "abc" (3 tokens) and "de" (2 tokens): rows 0 to 2, and 3 to 4.
class PlanCapturesTest : public ::testing::Test {
 protected:
  absl::StatusOr<ExtractCall> Plan(const std::string& hooks) {
    return PlanExtract(Parse<v1::ExtractRequest>("texts: ['abc', 'de'] " + hooks), "sha", server_.context());
  }
  ExtractCall Planned(const std::string& hooks) {
    absl::StatusOr<ExtractCall> call = Plan(hooks);
    EXPECT_TRUE(call.ok()) << call.status();
    return call.ok() ? *call : ExtractCall();
  }
  Capture First(const std::string& hooks) { return Planned(hooks).plan.captures.at(0); }

  FakeServer server_;
};

TEST_F(PlanCapturesTest, AllRowsAreContiguous) {
  Capture capture = First("hook_points: 'hook_embed'");
  EXPECT_TRUE(capture.contiguous);
  EXPECT_EQ(capture.first_row, 0);
  EXPECT_EQ(capture.row_count, 5);
  EXPECT_EQ(capture.RowElements(), 8);
  EXPECT_THAT(capture.rows, IsEmpty());
  EXPECT_THAT(capture.runs, ElementsAre(0, 1));
  EXPECT_THAT(capture.rows_per_run, ElementsAre(3, 2));
}

TEST_F(PlanCapturesTest, OneRunsRowsBeginAtItsFirstToken) {
  Capture capture = First("hooks { hook_point: 'hook_embed' runs: 1 }");
  EXPECT_TRUE(capture.contiguous);
  EXPECT_EQ(capture.first_row, 3);
  EXPECT_EQ(capture.row_count, 2);
}

TEST_F(PlanCapturesTest, ScatteredRowsAreListed) {
  Capture capture = First("hooks { hook_point: 'hook_embed' positions { at: -1 } }");
  EXPECT_FALSE(capture.contiguous);
  EXPECT_THAT(capture.rows, ElementsAre(2, 4));
  EXPECT_THAT(capture.rows_per_run, ElementsAre(1, 1));
}

TEST_F(PlanCapturesTest, RunsComeInTheSelectorsOrder) {
  Capture capture = First("hooks { hook_point: 'hook_embed' runs: [1, 0] positions { slice: '::-1' } }");
  EXPECT_THAT(capture.runs, ElementsAre(1, 0));
  EXPECT_THAT(capture.rows, ElementsAre(4, 3, 2, 1, 0));
  EXPECT_THAT(capture.rows_per_run, ElementsAre(2, 3));
}

TEST_F(PlanCapturesTest, AListThatIsARangeIsContiguous) {
  Capture capture = First("hooks { hook_point: 'hook_embed' runs: 0 positions { at: [1, 2] } }");
  EXPECT_TRUE(capture.contiguous);
  EXPECT_EQ(capture.first_row, 1);
}

TEST_F(PlanCapturesTest, AnEmptySelectionIsATensorWithoutRows) {
  ExtractCall call = Planned("hooks { hook_point: 'hook_embed' positions { slice: '9:' } }");
  EXPECT_EQ(call.tensors, 2u);
  EXPECT_EQ(call.data_bytes, 0u);
  EXPECT_EQ(call.plan.captures[0].row_count, 0);
  EXPECT_THAT(call.plan.captures[0].rows_per_run, ElementsAre(0, 0));
}

TEST_F(PlanCapturesTest, CapturesComeInForwardOrderAndKeepTheirSelector) {
  ExtractCall call = Planned(
      "hook_points: ['blocks.1.hook_mlp_out', 'attn.c_proj', 'hook_embed', "
      "'blocks.0.hook_attn_out']");
  std::vector<std::pair<std::string, uint32_t>> order;
  for (const Capture& capture : call.plan.captures) order.emplace_back(CanonicalName(capture.point), capture.selector);
  EXPECT_THAT(order, ElementsAre(std::pair("hook_embed", 2u), std::pair("blocks.0.hook_attn_out", 1u),
                                 std::pair("blocks.0.hook_attn_out", 3u), std::pair("blocks.1.hook_attn_out", 1u),
                                 std::pair("blocks.1.hook_mlp_out", 0u), std::pair("blocks.2.hook_attn_out", 1u)));
}

TEST_F(PlanCapturesTest, SaysWhatEachSelectorBecame) {
  ExtractCall call =
      Planned("hook_points: ['hook_embed', '*.{0,2}.hook_*_out'] hooks { hook_point: 'logits' view: VIEW_SUMMARY }");
  ASSERT_EQ(call.selected.size(), 3u);
  EXPECT_EQ(call.selected[0].points, 1u);
  EXPECT_EQ(call.selected[1].asked_name, "*.{0,2}.hook_*_out");
  EXPECT_EQ(call.selected[1].points, 4u);
  EXPECT_EQ(call.selected[1].data_bytes, 4 * call.selected[0].data_bytes);
  EXPECT_EQ(call.selected[2].data_bytes, 0u);
  EXPECT_EQ(call.selected[0].data_bytes + call.selected[1].data_bytes, call.data_bytes);
}

TEST_F(PlanCapturesTest, NumbersATensorForEachRun) {
  ExtractCall call = Planned(
      "hook_points: 'hook_embed' hooks { hook_point: 'hook_pos_embed' runs: 1 } hook_points: "
      "'attn.c_proj'");
  std::vector<uint32_t> first;
  for (const CaptureFormat& format : call.formats) first.push_back(format.first_tensor);
  EXPECT_THAT(first, ElementsAre(0, 2, 3, 5, 7));
  EXPECT_EQ(call.tensors, 9u);
}

TEST_F(PlanCapturesTest, NumbersOneTensorForAllRunsInRows) {
  ExtractCall call = Planned("layout: LAYOUT_ROWS hook_points: ['hook_embed', 'attn.c_proj']");
  EXPECT_EQ(call.formats[3].first_tensor, 3u);
  EXPECT_EQ(call.tensors, 4u);
}

TEST_F(PlanCapturesTest, CountsBytesOnceOnlyThoseSentAsBytes) {
  ExtractCall call = Planned("hook_points: 'attn.c_proj' hooks { hook_point: 'hook_embed' view: VIEW_SUMMARY }");
  EXPECT_EQ(call.data_bytes, 3u * 5 * 8 * 4);
  EXPECT_EQ(call.plan.capture_bytes, 4u * 5 * 8 * 4);
}

TEST_F(PlanCapturesTest, RefusesMoreBytesThanTheCallerTakes) {
  EXPECT_TRUE(Plan("hook_points: 'hook_embed' max_response_bytes: 160").ok());
  absl::Status status = Plan("hook_points: 'hook_embed' max_response_bytes: 159").status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre("max_response_bytes: needs 160 bytes, the limit is 159"));
}

TEST_F(PlanCapturesTest, RefusesMoreBytesThanTheServerAllowsAndSaysHowMany) {
  server_.limits.max_response_bytes = 100;
  absl::Status status = Plan("hook_points: ['hook_embed', 'hook_embed'] view: VIEW_SUMMARY").status();
  EXPECT_THAT(Lines(status), ElementsAre("hooks: needs 320 bytes of captured data, the limit is 100"));
}

TEST_F(PlanCapturesTest, RefusesMoreTensorsThanTheLimitInEitherLayout) {
  server_.limits.max_tensors_per_request = 5;
  for (std::string layout : {"", "layout: LAYOUT_ROWS "}) {
    absl::Status status = Plan(layout + "hook_points: 'attn.c_proj'").status();
    EXPECT_THAT(Lines(status), ElementsAre("hooks: needs 6 tensors, the limit is 5"));
  }
}

TEST_F(PlanCapturesTest, SizesBeyondAnyMemoryAreSummedUpAndRefused) {
  server_.model.n_embd = 1 << 30;
  server_.model.n_head = 1;
  std::string zeros = "0";
  for (int i = 0; i < 999; ++i) zeros += ", 0";
  std::string hooks = "view: VIEW_SUMMARY ";
  for (int i = 0; i < 400; ++i) hooks += "hooks { hook_point: 'hook_resid_mid' positions { at: [" + zeros + "] } } ";
  absl::Status status = Plan(hooks).status();
  // 400 selectors, 3 layers, 2 runs, 1000 positions, 2^30 values of 4 bytes.
  EXPECT_THAT(Lines(status),
              ElementsAre("hooks: needs 10307921510400000 bytes of captured data, the limit is 1073741824"));
}

TEST_F(PlanCapturesTest, RefusesFloatsBeyondTheirLimit) {
  server_.model.n_embd = 20000;
  EXPECT_TRUE(Plan("hook_points: 'hook_embed' view: VIEW_FLOATS").ok());
  absl::Status status = Plan("layout: LAYOUT_ROWS hook_points: 'hook_embed' view: VIEW_FLOATS").status();
  EXPECT_THAT(Lines(status), ElementsAre("hook_points[0].view: needs 100000 elements, the limit is 65536"));
}

TEST_F(PlanCapturesTest, NamesPositionsOutOfRange) {
  absl::Status status = Plan("hooks { hook_point: 'hook_embed' positions { at: [0, 2] } }").status();
  EXPECT_THAT(Lines(status), ElementsAre("hooks[0].positions.at[1]: got 2, expected -2 to 1: the run has 2 tokens"));
}

}  // namespace
}  // namespace hydrophone
