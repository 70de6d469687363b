#include "server/net/process_memory.h"

#include <gtest/gtest.h>
#include <string.h>

#include <memory>

namespace hydrophone {
namespace {

TEST(SystemMemory, CountsWhatIsTouched) {
  constexpr size_t kBytes = 64 << 20;
  const uint64_t before = SystemMemory().Resident();
  ASSERT_GT(before, 0u);
  auto block = std::make_unique<char[]>(kBytes);
  memset(block.get(), 1, kBytes);
  EXPECT_GE(SystemMemory().Resident(), before + kBytes / 2);
}

}  // namespace
}  // namespace hydrophone
