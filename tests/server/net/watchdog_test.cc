#include "server/net/watchdog.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/fakes/await.h"
#include "tests/fakes/fake_clock.h"

namespace hydrophone {
namespace {

TEST(Watchdog, LooksAgainWhenItsTimeHasCome) {
  FakeClock clock;
  std::atomic<int> looks{0};
  Watchdog watchdog(&clock);
  watchdog.Start([&](absl::Time) { ++looks; });
  clock.AwaitWaiter(clock.Now() + kBetweenLooks);
  EXPECT_EQ(looks, 1);
  clock.Advance(kBetweenLooks);
  PollOrFail("a second look", [&] { return looks == 2; });
}

TEST(Watchdog, MayEndBeforeItStarts) {
  FakeClock clock;
  Watchdog watchdog(&clock);
}

}  // namespace
}  // namespace hydrophone
