#include "server/model/engine/numerics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydrophone {
namespace {

TEST(NumericsTest, TellsWhatBitsDependOn) {
  EXPECT_THAT(CpuNumerics(), testing::MatchesRegex("cpu=[A-Z0-9]+;libtorch=[0-9.]+;sums=(fused|rounded)/384"));
}

TEST(NumericsTest, UsesAtLeastOneThread) { EXPECT_GE(ThreadsFromCpuQuota(), 1); }

}  // namespace
}  // namespace hydrophone
