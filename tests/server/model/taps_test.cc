#include "server/model/taps.h"

#include <ATen/ops/arange.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/model/random_gpt2.h"

namespace hydrophone {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr HookPoint kMid{Site::kResidMid, 1};

// Two members of 3 and 2 tokens in a batch of width 2.
class TapsTest : public testing::Test {
 protected:
  TapsTest() {
    config_.n_embd = 2;
    model_ = InfoOf(config_);
    first_ = PlanFor({{1, 2, 3}}, {{Site::kEmbed, -1}, kMid}, config_);
    second_ = PlanFor({{4, 5}}, {{Site::kMlpOut, 2}}, config_);
    batch_ = {{&first_, &first_sink_}, {&second_, &second_sink_}};
  }

  at::Tensor Value() const { return at::arange(10, at::kFloat).view({5, 2}); }

  Gpt2Config config_ = SmallConfig();
  ModelInfo model_ = InfoOf(config_);
  Plan first_, second_;
  CollectingSink first_sink_, second_sink_;
  std::vector<BatchMember> batch_;
};

TEST_F(TapsTest, GivesEachMemberItsOwnRows) {
  Taps taps(batch_, model_, {});
  taps.Give({Site::kMlpOut, 2}, Value());
  EXPECT_THAT(second_sink_.values(0), ElementsAre(6, 7, 8, 9));
  EXPECT_THAT(first_sink_.captures(), IsEmpty());
}

TEST_F(TapsTest, WantsWhatSomebodyAskedForAndHasNotLeft) {
  Taps taps(batch_, model_, {});
  EXPECT_TRUE(taps.Wants(kMid));
  EXPECT_FALSE(taps.Wants({Site::kResidMid, 0}));
  first_sink_.stopped = true;
  EXPECT_FALSE(taps.Wants(kMid));
  taps.Give(kMid, Value());
  EXPECT_THAT(first_sink_.captures(), IsEmpty());
}

TEST_F(TapsTest, NeedsTheBlocksOfTheDeepestMemberThatHasNotLeft) {
  Taps taps(batch_, model_, {});
  EXPECT_EQ(taps.BlocksNeeded(), 3);
  second_sink_.stopped = true;
  EXPECT_EQ(taps.BlocksNeeded(), 2);
  first_sink_.stopped = true;
  EXPECT_EQ(taps.BlocksNeeded(), -1);
}

TEST_F(TapsTest, SharesTheMemoryOfACaptureThatTakesMostOfTheValue) {
  Taps taps(batch_, model_, {});
  const at::Tensor value = Value();
  taps.Give(kMid, value);  // three of five rows
  EXPECT_EQ(static_cast<const void*>(first_sink_.captures().begin()->second.data), value.const_data_ptr());
  taps.Give({Site::kMlpOut, 2}, value);  // two of five
  EXPECT_NE(static_cast<const void*>(second_sink_.captures().begin()->second.data),
            static_cast<const void*>(static_cast<const float*>(value.const_data_ptr()) + 6));
}

TEST_F(TapsTest, KeepsTheMemoryAfterTheValueIsGone) {
  Taps taps(batch_, model_, {});
  taps.Give(kMid, Value());
  EXPECT_THAT(first_sink_.values(1), ElementsAre(0, 1, 2, 3, 4, 5));
}

}  // namespace
}  // namespace hydrophone
