#include "client/cpp/bulk/meter.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

class MeterTest : public ::testing::Test {
 protected:
  absl::Time now_ = absl::UnixEpoch();
  std::ostringstream out_;
  Meter meter_{4096, 1024, &out_, [&] { return now_; }};
};

TEST_F(MeterTest, TellsTokensBytesAndTheTimeLeft) {
  now_ += absl::Seconds(10);
  meter_.Add(1024, 128'000, 1'500'000'000);
  EXPECT_EQ(out_.str(), "2048 of 4096 texts, 12800 tokens/s, 1.5 GB, 0:20 left\n");
}

TEST_F(MeterTest, WritesSeldomerAsTheJobGoesOn) {
  int lines = 0;
  for (int second = 0; second < 100; ++second) {
    now_ += absl::Seconds(1);
    meter_.Add(1, 1, 1);
  }
  for (const char each : out_.str()) lines += each == '\n' ? 1 : 0;
  EXPECT_EQ(lines, 6) << "after 2, 6, 14, 30, 60 and 90 seconds:\n" << out_.str();
}

TEST_F(MeterTest, SaysNothingOfWhatIsDoneSoon) {
  now_ += absl::Seconds(1);
  meter_.Add(3072, 1, 1);
  EXPECT_EQ(out_.str(), "");
}

TEST_F(MeterTest, HoursHaveMinutesWithTwoDigits) {
  now_ += absl::Seconds(3600);
  meter_.Add(1024, 1, 1);
  EXPECT_EQ(meter_.Line(), "2048 of 4096 texts, 0 tokens/s, 1 B, 2:00:00 left");
}

TEST(SizeText, HasThreeDigitsAndAUnit) {
  EXPECT_EQ(SizeText(0), "0 B");
  EXPECT_EQ(SizeText(1500), "1.5 kB");
  EXPECT_EQ(SizeText(32'612'345), "32.6 MB");
  EXPECT_EQ(SizeText(2'000'000'000'000), "2 TB");
}

}  // namespace
}  // namespace hydrophone::client
