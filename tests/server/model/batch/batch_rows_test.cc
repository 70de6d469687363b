#include "server/model/batch/batch_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/random_gpt2.h"

namespace hydrophone {
namespace {

using testing::ElementsAre;

class BatchRowsTest : public testing::Test {
 protected:
  const Gpt2Config config_ = SmallConfig();
  CollectingSink sink_;
  Plan first_ = PlanFor({{7, 8, 9, 4}, {7, 8, 5}}, {{Site::kAttnOut, 0}}, config_);
  Plan second_ = PlanFor({{7, 8, 5, 6}, {1}}, {{Site::kAttnOut, 0}}, config_);
  const std::vector<BatchMember> batch_ = {{&first_, &sink_}, {&second_, &sink_}};
};

TEST_F(BatchRowsTest, WithoutSharingEveryPositionHasItsOwnRow) {
  const BatchRows rows(batch_, false);
  EXPECT_EQ(rows.rows(), 12);
  EXPECT_EQ(rows.shared(), 0);
  EXPECT_THAT(rows.Of(2).rows, ElementsAre(7, 8, 9, 10));
  EXPECT_THAT(rows.positions(), ElementsAre(0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 3, 0));
  EXPECT_EQ(rows.FirstSequenceOf(1), 2);
  EXPECT_EQ(rows.RowOf(1, 4), 11);
}

TEST_F(BatchRowsTest, RunsShareTheRowsOfTheirCommonBeginningAcrossMembers) {
  const BatchRows rows(batch_, true);
  EXPECT_EQ(rows.rows(), 7);  // 1; 7 8 5; 6; 9 4
  EXPECT_EQ(rows.shared(), 12 - 7);
  const auto a = rows.Of(0), b = rows.Of(1), c = rows.Of(2);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(a.rows[i], b.rows[i]);
    EXPECT_EQ(b.rows[i], c.rows[i]);
  }
  EXPECT_EQ(b.rows[2], c.rows[2]);
  EXPECT_NE(a.rows[2], b.rows[2]);
  EXPECT_EQ(a.own_from, 0);
  EXPECT_EQ(b.own_from, 2);
  EXPECT_EQ(c.own_from, 3);
  for (size_t sequence = 0; sequence < 4; ++sequence) {
    const Plan& plan = sequence < 2 ? first_ : second_;
    const std::vector<uint32_t>& tokens = plan.runs[sequence % 2].token_ids;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const auto row = static_cast<size_t>(rows.Of(sequence).rows[i]);
      EXPECT_EQ(rows.token_ids()[row], tokens[i]);
      EXPECT_EQ(rows.positions()[row], static_cast<int64_t>(i));
    }
  }
}

// A member's rows then are one piece of memory, which can be sent from where it is.
TEST_F(BatchRowsTest, RunsThatShareNothingLieInTheOrderInWhichTheyWereAskedFor) {
  const Plan plan = PlanFor({{9, 1}, {5}, {7, 2, 3}}, {{Site::kAttnOut, 0}}, config_);
  const BatchMember member{&plan, &sink_};
  const BatchRows rows({&member, 1}, true);
  EXPECT_THAT(rows.Of(0).rows, ElementsAre(0, 1));
  EXPECT_THAT(rows.Of(1).rows, ElementsAre(2));
  EXPECT_THAT(rows.Of(2).rows, ElementsAre(3, 4, 5));
}

// The longest common beginning is with neither the first nor the last of the runs before.
TEST_F(BatchRowsTest, ARunSharesWithTheOneThatHasMostInCommon) {
  const Plan plan = PlanFor({{1, 2, 9}, {1, 2, 3, 4}, {1, 8}, {1, 2, 3, 5}}, {{Site::kAttnOut, 0}}, config_);
  const BatchMember member{&plan, &sink_};
  const BatchRows rows({&member, 1}, true);
  EXPECT_EQ(rows.Of(3).own_from, 3);
  EXPECT_THAT(rows.Of(3).rows, ElementsAre(0, 1, 3, 6));
}

TEST_F(BatchRowsTest, EqualRunsAreOne) {
  const Plan plan = PlanFor({{3, 4}, {3, 4}, {3, 4}}, {{Site::kAttnOut, 0}}, config_);
  const BatchMember member{&plan, &sink_};
  const BatchRows rows({&member, 1}, true);
  EXPECT_EQ(rows.rows(), 2);
  EXPECT_EQ(rows.Of(2).own_from, 2);
}

TEST_F(BatchRowsTest, PlansWithEditsDropoutOrSquaresShareNothing) {
  Plan edited = first_, train = first_, square = PlanFor({{7, 8}}, {{Site::kPattern, 0}}, config_);
  edited.edits.emplace_back();
  SetSeed(1, &train);
  for (const Plan* plan : {&edited, &train, &square}) {
    const std::vector<BatchMember> batch = {{plan, &sink_}, {&second_, &sink_}};
    EXPECT_EQ(BatchRows(batch, true).rows(), plan->tokens() + second_.tokens());
  }
}

TEST_F(BatchRowsTest, KeepsTheRowsThatTheOtherMembersHave) {
  for (bool share : {false, true}) {
    BatchRows rows(batch_, share);
    const auto before = rows.Of(2).rows;
    const std::vector<int64_t> then(before.begin(), before.end());
    EXPECT_EQ(rows.Keep({true, true}), std::nullopt);
    const std::optional<std::vector<int64_t>> kept = rows.Keep({false, true});
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(rows.rows(), 5);
    EXPECT_EQ(rows.CountOf(0), 0);
    EXPECT_EQ(rows.FirstSequenceOf(1), 2);
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ((*kept)[static_cast<size_t>(rows.Of(2).rows[i])], then[i]);
    EXPECT_EQ(rows.Of(2).own_from, 0);  // what it shared is its own now
  }
}

}  // namespace
}  // namespace hydrophone
