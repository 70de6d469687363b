#include "server/model/numerics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace hydrophone {
namespace {

using testing::HasSubstr;

TEST(NumericsTest, LeavesAModeAloneThatTheEnvironmentNames) {
  setenv("MKL_CBWR", "COMPATIBLE", 1);
  ConfigureNumerics();
  EXPECT_STREQ(std::getenv("MKL_CBWR"), "COMPATIBLE");
  unsetenv("MKL_CBWR");
}

TEST(NumericsTest, FingerprintNamesTheModeAndTheBlocking) {
  setenv("MKL_CBWR", "AVX2,STRICT", 1);
  EXPECT_THAT(NumericsString({RowBlocking::kFree, true}), HasSubstr("cbwr=AVX2,STRICT"));
  EXPECT_NE(NumericsString({RowBlocking::kFree, true}), NumericsString({RowBlocking::kFixed, true}));
  unsetenv("MKL_CBWR");
}

TEST(NumericsTest, UsesAtLeastOneThread) { EXPECT_GE(ThreadsFromCpuQuota(), 1); }

}  // namespace
}  // namespace hydrophone
