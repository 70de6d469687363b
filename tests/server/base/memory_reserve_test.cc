#include "server/base/memory_reserve.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>
#include <new>
#include <string>

#include "tests/fakes/failing_allocations.h"

namespace hydrophone {
namespace {

constexpr size_t kLarge = size_t{1} << 20;

// Bytes that malloc has handed out.
size_t InUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(MemoryReserveTest, IsFreedByAnAllocationThatFailsAndSetAsideAgain) {
  const size_t before = InUse();
  if (before == 0) GTEST_SKIP() << "a sanitizer's malloc does not say what is in use";
  RefillMemoryReserve();
  EXPECT_LT(InUse(), before + kMemoryReserveBytes) << "kept before KeepMemoryReserve";
  KeepMemoryReserve();
  EXPECT_GE(InUse(), before + kMemoryReserveBytes);
  {
    FailingAllocations failing(kLarge);
    EXPECT_THROW(std::string(2 * kLarge, 'x'), std::bad_alloc);
    EXPECT_EQ(failing.failed(), 1u) << "tried again instead of throwing";
    EXPECT_LT(InUse(), before + kMemoryReserveBytes);
    EXPECT_THROW(std::string(2 * kLarge, 'x'), std::bad_alloc) << "without a reserve";
  }
  for (int i = 0; i < 3; ++i) RefillMemoryReserve();
  EXPECT_GE(InUse(), before + kMemoryReserveBytes);
  EXPECT_LT(InUse(), before + 2 * kMemoryReserveBytes);
}

}  // namespace
}  // namespace hydrophone
