#include "server/core/out_of_memory.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "absl/status/statusor.h"
#include "tests/fakes/failing_allocations.h"

namespace hydrophone {
namespace {

TEST(OrOutOfMemoryTest, GivesWhatTheWorkReturns) {
  EXPECT_EQ(OrOutOfMemory([] {}), absl::OkStatus());
  EXPECT_EQ(OrOutOfMemory([] { return absl::CancelledError("x"); }), absl::CancelledError("x"));
  EXPECT_EQ(*OrOutOfMemory([]() -> absl::StatusOr<int> { return 7; }), 7);
}

TEST(OrOutOfMemoryTest, GivesAStatusWhenMemoryRunsOut) {
  EXPECT_EQ(OrOutOfMemory([] { throw std::bad_alloc(); }), OutOfMemory());
  EXPECT_EQ(OrOutOfMemory([]() -> absl::Status { throw std::bad_array_new_length(); }), OutOfMemory());
  EXPECT_EQ(OrOutOfMemory([]() -> absl::StatusOr<int> { throw std::bad_alloc(); }).status(), OutOfMemory());
}

TEST(OrOutOfMemoryTest, LetsOtherExceptionsPass) {
  EXPECT_THROW(OrOutOfMemory([] { throw std::runtime_error("x"); }).IgnoreError(), std::runtime_error);
}

TEST(OutOfMemoryTest, MayBeTriedAgainAndNeedsNoMemory) {
  const absl::Status first = OutOfMemory();
  EXPECT_EQ(first.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(first), "OUT_OF_MEMORY");
  EXPECT_EQ(RetryAfterOf(first), absl::Seconds(1));
  absl::Status again;
  {
    const FailingAllocations none(1);
    again = OrOutOfMemory([] { ::operator delete(::operator new(1)); });
  }
  EXPECT_EQ(again, first);
}

}  // namespace
}  // namespace hydrophone
