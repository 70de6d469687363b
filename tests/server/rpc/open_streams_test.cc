#include "server/rpc/open_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "server/core/errors.h"

namespace hydrophone {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

class FakeStream : public OpenStream {
 public:
  explicit FakeStream(absl::Time writing_since) : writing_since_(writing_since) {}
  absl::Time writing_since() const override { return writing_since_; }
  void EndWith(const absl::Status& status) override { ended = status; }
  void Cut() override { cut = true; }

  std::optional<absl::Status> ended;
  bool cut = false;

 private:
  const absl::Time writing_since_;
};

TEST(OpenStreamsTest, StalledStreamsAreEnded) {
  OpenStreams streams;
  auto stalled = std::make_shared<FakeStream>(kNow - absl::Seconds(10));
  auto reading = std::make_shared<FakeStream>(kNow - absl::Seconds(9));
  auto between_messages = std::make_shared<FakeStream>(absl::InfiniteFuture());
  for (const auto& stream : {stalled, reading, between_messages}) streams.Add(stream);
  streams.EndStalled(kNow, absl::Seconds(10));
  ASSERT_TRUE(stalled->ended.has_value());
  EXPECT_EQ(stalled->ended->code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(*stalled->ended), "STALLED");
  EXPECT_FALSE(reading->ended.has_value());
  EXPECT_FALSE(between_messages->ended.has_value());
}

TEST(OpenStreamsTest, AStreamThatWasEndedAndIsNotReadYetIsCut) {
  OpenStreams streams;
  auto stalled = std::make_shared<FakeStream>(kNow - absl::Hours(1));
  streams.Add(stalled);
  streams.EndStalled(kNow, absl::Seconds(10));
  streams.EndStalled(kNow + absl::Seconds(9), absl::Seconds(10));
  EXPECT_TRUE(stalled->ended.has_value());
  EXPECT_FALSE(stalled->cut);
  streams.EndStalled(kNow + absl::Seconds(10), absl::Seconds(10));
  EXPECT_TRUE(stalled->cut);
}

TEST(OpenStreamsTest, AllAreEndedAlike) {
  OpenStreams streams;
  auto first = std::make_shared<FakeStream>(kNow);
  auto second = std::make_shared<FakeStream>(absl::InfiniteFuture());
  auto closed = std::make_shared<FakeStream>(kNow);
  streams.Add(first);
  const OpenStreams::Place place = streams.Add(closed);
  streams.Add(second);
  streams.Remove(place);
  streams.EndAll(Draining(absl::Seconds(1)));
  EXPECT_EQ(ReasonOf(first->ended.value_or(absl::OkStatus())), "DRAINING");
  EXPECT_EQ(ReasonOf(second->ended.value_or(absl::OkStatus())), "DRAINING");
  EXPECT_FALSE(closed->ended.has_value());
}

TEST(OpenStreamsTest, AStreamThatIsGoneIsPassedOver) {
  OpenStreams streams;
  auto gone = std::make_shared<FakeStream>(kNow);
  streams.Add(gone);
  gone.reset();
  streams.EndAll(absl::CancelledError("the end"));
  streams.EndStalled(kNow, absl::Seconds(1));
}

}  // namespace
}  // namespace hydrophone
