#include "server/model/engine/numerics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydrophone {
namespace {

TEST(NumericsTest, TellsWhatBitsDependOn) {
  EXPECT_THAT(CpuNumerics(), testing::MatchesRegex("contract=2(;products=rounded)?"));
  EXPECT_THAT(CpuInstructionSet(), testing::AnyOf("AVX-512", "AVX2", "NEON", "baseline"));
}

}  // namespace
}  // namespace hydrophone
