#include "client/cpp/cli/progress.h"

#include <sstream>

#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

TEST(Progress, SaysNothingOfWhatIsDoneSoon) {
  std::ostringstream out;
  absl::Time now = absl::UnixEpoch();
  Progress progress(&out, [&] { return now; });
  now += absl::Seconds(1);
  progress.Inputs(1, 1);
  progress.End();
  EXPECT_EQ(out.str(), "");
}

TEST(Progress, SaysHowFarItIsNowAndThenAndAtTheEnd) {
  std::ostringstream out;
  absl::Time now = absl::UnixEpoch();
  Progress progress(&out, [&] { return now; });
  now += absl::Seconds(3);
  progress.AddBytes(1'500'000);
  progress.Inputs(10, 20);
  now += absl::Seconds(3);
  progress.Inputs(15, 20);
  progress.Inputs(20, 20);
  progress.End();
  EXPECT_EQ(out.str(),
            "1.5 MB received\n"
            "1.5 MB received, 15 of 20 inputs done\n"
            "1.5 MB received, 20 of 20 inputs done\n");
}

}  // namespace
}  // namespace hydrophone::client
