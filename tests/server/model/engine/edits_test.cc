// Edits in a whole forward pass: the values before, at and after the edited point.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/fakes/random_engine.h"
#include "tests/fakes/random_gpt2.h"

namespace hydrophone {
namespace {

using Operation = Edit::Operation;

// Two runs of 20 tokens, with captures of every point.
class EditsTest : public testing::Test {
 protected:
  static constexpr size_t kTokens = 20;

  Plan PlanWith(std::vector<Edit> edits) const {
    Plan plan =
        PlanFor({RandomTokens(config_, kTokens, 1), RandomTokens(config_, kTokens, 2)}, AllPoints(config_), config_);
    plan.edits = std::move(edits);
    return plan;
  }
  static Edit Everywhere(Operation operation, uint32_t run, HookPoint point) {
    Edit edit;
    edit.operation = operation;
    edit.run = run;
    edit.point = point;
    edit.positions.resize(kTokens);
    std::iota(edit.positions.begin(), edit.positions.end(), int64_t{0});
    return edit;
  }
  static Edit Patch(uint32_t run, HookPoint point, uint32_t from, HookPoint source) {
    Edit edit = Everywhere(Operation::kPatch, run, point);
    edit.source = {from, source, edit.positions};
    return edit;
  }

  // The part of a capture that is one run's.
  static Values Of(uint32_t run, const Capture& capture, const Values& values) {
    const auto begin = run == 0 ? 0 : capture.TensorElements(0);
    return {values.begin() + begin, values.begin() + begin + capture.TensorElements(run)};
  }

  // One run's part of what was captured at a point, which must be one of the plan's.
  Values At(HookPoint point, uint32_t run, const std::vector<Values>& values) const {
    for (size_t i = 0; i < values.size(); ++i) {
      const Capture& capture = clean_plan_.captures[i];
      if (capture.point == point) return Of(run, capture, values[i]);
    }
    ADD_FAILURE() << "no capture at " << CanonicalName(point);
    return {};
  }

  Gpt2Config config_ = SmallConfig();
  Gpt2Engine engine_ = MakeEngine(config_, 2);
  Plan clean_plan_ = PlanWith({});
  std::vector<Values> clean_ = RunAlone(engine_, clean_plan_);
};

TEST_F(EditsTest, LeaveWhatIsUpstreamAndOtherRunsBitwiseAlone) {
  for (const HookPointInfo& info : HookPoints()) {
    if (!info.editable()) continue;
    const HookPoint point = info.At(info.layers == LayerKind::kNone ? -1 : 1);
    Edit scale = Everywhere(Operation::kScale, 1, point);
    scale.scale = 0.5f;
    const std::vector<Values> edited = RunAlone(engine_, PlanWith({scale}));
    bool changed = false;
    for (size_t i = 0; i < edited.size(); ++i) {
      const Capture& capture = clean_plan_.captures[i];
      ASSERT_TRUE(SameBits(Of(0, capture, edited[i]), Of(0, capture, clean_[i]))) << info.name;
      const bool same = SameBits(Of(1, capture, edited[i]), Of(1, capture, clean_[i]));
      if (ForwardOrder(capture.point, 3) < ForwardOrder(point, 3)) {
        ASSERT_TRUE(same) << info.name << " changed " << CanonicalName(capture.point);
      }
      changed = changed || (!same && ForwardOrder(capture.point, 3) > ForwardOrder(point, 3));
    }
    EXPECT_TRUE(changed) << info.name << " changed nothing downstream";
  }
}

TEST_F(EditsTest, ShowTheEditedValueWhereTheyAreMade) {
  for (const HookPointInfo& info : HookPoints()) {
    if (!info.editable() || info.square()) continue;
    const HookPoint point = info.At(info.layers == LayerKind::kNone ? -1 : 1);
    const std::vector<Values> edited = RunAlone(engine_, PlanWith({Everywhere(Operation::kZero, 0, point)}));
    for (float value : At(point, 0, edited)) ASSERT_EQ(value, 0.0f) << info.name;
  }
}

// The block adds to the stream, which an edit of the branch that a LayerNorm reads leaves alone.
TEST_F(EditsTest, ABranchIsNotTheStream) {
  const std::vector<Values> edited = RunAlone(engine_, PlanWith({Everywhere(Operation::kZero, 0, {Site::kLn2In, 1})}));
  EXPECT_TRUE(SameBits(At({Site::kResidMid, 1}, 0, edited), At({Site::kResidMid, 1}, 0, clean_)));
  EXPECT_FALSE(SameBits(At({Site::kMlpOut, 1}, 0, edited), At({Site::kMlpOut, 1}, 0, clean_)));
  const Values mid = At({Site::kResidMid, 1}, 0, edited), mlp = At({Site::kMlpDropped, 1}, 0, edited);
  const Values post = At({Site::kResidPost, 1}, 0, edited);
  for (size_t i = 0; i < post.size(); ++i) ASSERT_EQ(post[i], mid[i] + mlp[i]);
}

// One head's copy changes that head's queries; every other number keeps its bits up to the scores.
TEST_F(EditsTest, AHeadsCopyReachesThatHeadAlone) {
  Edit scale = Everywhere(Operation::kScale, 0, {Site::kQInput, 1});
  scale.scale = 0.5f;
  scale.units.heads = {1};
  const std::vector<Values> edited = RunAlone(engine_, PlanWith({scale}));
  for (const Site site : {Site::kK, Site::kV}) {
    EXPECT_TRUE(SameBits(At({site, 1}, 0, edited), At({site, 1}, 0, clean_)));
  }
  const Values before = At({Site::kQ, 1}, 0, clean_), after = At({Site::kQ, 1}, 0, edited);
  const auto d = static_cast<size_t>(config_.n_embd), d_head = static_cast<size_t>(config_.d_head());
  for (size_t i = 0; i < before.size(); ++i) {
    if (i % d / d_head != 1) {
      ASSERT_EQ(before[i], after[i]);
    }
  }
  EXPECT_FALSE(SameBits(before, after));
}

// The same change of all heads' copies is the change of the branch.
TEST_F(EditsTest, AllHeadsCopiesTogetherAreTheBranch) {
  const Edit branch = Everywhere(Operation::kZero, 0, {Site::kLn1In, 1});
  const Values expected = At({Site::kQkv, 1}, 0, RunAlone(engine_, PlanWith({branch})));
  const Edit shared = Everywhere(Operation::kZero, 0, {Site::kAttnIn, 1});
  EXPECT_TRUE(SameBits(At({Site::kQkv, 1}, 0, RunAlone(engine_, PlanWith({shared}))), expected));
  std::vector<Edit> parts;
  for (const Site site : {Site::kQInput, Site::kKInput, Site::kVInput}) {
    parts.push_back(Everywhere(Operation::kZero, 0, {site, 1}));
  }
  EXPECT_TRUE(SameBits(At({Site::kQkv, 1}, 0, RunAlone(engine_, PlanWith(parts))), expected));
}

TEST_F(EditsTest, AFlatPointIsTheSameValue) {
  const HookPoint flat{Site::kZ, 1, true};
  EXPECT_TRUE(SameBits(At(flat, 0, clean_), At({Site::kZ, 1}, 0, clean_)));
  Edit zero = Everywhere(Operation::kZero, 0, flat);
  zero.units.features = {0, config_.n_embd - 1};
  const Values edited = At({Site::kZ, 1}, 0, RunAlone(engine_, PlanWith({zero})));
  const auto d = static_cast<size_t>(config_.n_embd);
  for (size_t row = 0; row < edited.size() / d; ++row) {
    EXPECT_EQ(edited[row * d], 0.0f);
    EXPECT_EQ(edited[row * d + d - 1], 0.0f);
    EXPECT_NE(edited[row * d + 1], 0.0f);
  }
}

// Captured scores hold -inf where they are masked, and can be written back as they are.
TEST_F(EditsTest, WritingTheScoresBackChangesNothing) {
  Edit set = Everywhere(Operation::kSet, 0, {Site::kAttnScores, 1});
  Values scores = At({Site::kAttnScores, 1}, 0, clean_);
  const auto tokens = static_cast<int64_t>(kTokens);
  set.strides = {tokens, tokens * tokens, 1};
  set.values = std::make_shared<const std::vector<float>>(std::move(scores));
  const std::vector<Values> edited = RunAlone(engine_, PlanWith({set}));
  for (size_t i = 0; i < edited.size(); ++i) ASSERT_TRUE(SameBits(edited[i], clean_[i]));
}

TEST_F(EditsTest, AKnockedOutKeyHasNoPart) {
  Edit add = Everywhere(Operation::kAdd, 0, {Site::kAttnScores, 1});
  add.positions = {5};
  add.units.features = {2};
  add.values = std::make_shared<const std::vector<float>>(1, -std::numeric_limits<float>::infinity());
  const Values pattern = At({Site::kPattern, 1}, 0, RunAlone(engine_, PlanWith({add})));
  EXPECT_EQ(pattern[5 * kTokens + 2], 0.0f);
  float sum = 0;
  for (size_t key = 0; key <= 5; ++key) sum += pattern[5 * kTokens + key];
  EXPECT_NEAR(sum, 1.0f, 1e-6f);
}

// Everything after a residual stream that was wholly replaced by another run's is that run's.
TEST_F(EditsTest, APatchedStreamGoesOnAsItsSource) {
  const HookPoint point{Site::kResidPre, 1};
  const std::vector<Values> edited = RunAlone(engine_, PlanWith({Patch(1, point, 0, point)}));
  for (size_t i = 0; i < edited.size(); ++i) {
    const Capture& capture = clean_plan_.captures[i];
    if (ForwardOrder(capture.point, 3) < ForwardOrder(point, 3)) continue;
    ASSERT_TRUE(SameBits(Of(1, capture, edited[i]), Of(0, capture, clean_[i]))) << CanonicalName(capture.point);
  }
}

TEST_F(EditsTest, PatchesReadEarlierPointsToo) {
  const std::vector<Values> edited =
      RunAlone(engine_, PlanWith({Patch(1, {Site::kMlpOut, 2}, 0, {Site::kAttnOut, 0})}));
  EXPECT_TRUE(SameBits(At({Site::kAttnOut, 0}, 0, edited), At({Site::kMlpOut, 2}, 1, edited)));
}

TEST_F(EditsTest, APatchReadsWhatTheSourcesOwnEditsLeft) {
  for (HookPoint point : {HookPoint{Site::kZ, 1}, HookPoint{Site::kPattern, 1}}) {
    Plan plan = PlanWith({Everywhere(Operation::kZero, 1, point), Patch(0, point, 1, point)});
    plan.run_order = {1, 0};
    const std::vector<Values> edited = RunAlone(engine_, plan);
    for (float value : At(point, 0, edited)) ASSERT_EQ(value, 0.0f);
  }
}

// Patterns sum to 1 and are 0 above the diagonal, whatever was written into the scores.
TEST_F(EditsTest, WhatCausalityMasksStaysMasked) {
  for (Site site : {Site::kAttnScores, Site::kPattern}) {
    Edit set = Everywhere(Operation::kSet, 0, {site, 0});
    set.values = std::make_shared<const std::vector<float>>(1, 0.25f);
    const std::vector<Values> edited = RunAlone(engine_, PlanWith({set}));
    const Values pattern = At({Site::kPattern, 0}, 0, edited);
    ASSERT_GE(pattern.size(), kTokens * kTokens);
    for (size_t query = 0; query < kTokens; ++query) {
      for (size_t key = 0; key < kTokens; ++key) {
        const float expected = site == Site::kPattern ? 0.25f : 1.0f / static_cast<float>(query + 1);
        ASSERT_NEAR(pattern[query * kTokens + key], key <= query ? expected : 0.0f, 1e-6);
      }
    }
  }
}

TEST_F(EditsTest, SeveralAtOnePointAreMadeInTheirOrder) {
  const HookPoint point{Site::kMlpOut, 0};
  Edit add = Everywhere(Operation::kAdd, 0, point);
  add.values = std::make_shared<const std::vector<float>>(1, 3.0f);
  Edit scale = Everywhere(Operation::kScale, 0, point);
  scale.scale = 2;
  Edit zero = Everywhere(Operation::kZero, 0, point);
  const std::vector<Values> edited = RunAlone(engine_, PlanWith({zero, add, scale}));
  for (float value : At(point, 0, edited)) ASSERT_EQ(value, 6.0f);
}

}  // namespace
}  // namespace hydrophone
