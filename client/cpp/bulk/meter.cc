#include "client/cpp/bulk/meter.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hydrophone::client {
namespace {

constexpr absl::Duration kFirstPause = absl::Seconds(2);
constexpr absl::Duration kLongestPause = absl::Seconds(30);

std::string TimeText(double seconds) {
  constexpr int64_t kMinute = 60;
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  const int64_t minutes = whole / kMinute;
  if (minutes < kMinute) return absl::StrFormat("%d:%02d", minutes, whole % kMinute);
  return absl::StrFormat("%d:%02d:%02d", minutes / kMinute, minutes % kMinute, whole % kMinute);
}

}  // namespace

std::string SizeText(uint64_t bytes) {
  constexpr double kStep = 1000;
  auto count = static_cast<double>(bytes);
  for (const char* unit : {"B", "kB", "MB", "GB"}) {
    if (count < kStep) return absl::StrFormat("%.3g %s", count, unit);
    count /= kStep;
  }
  return absl::StrFormat("%.3g TB", count);
}

Meter::Meter(uint64_t texts, uint64_t there, std::ostream* out, std::function<absl::Time()> now)
    : texts_(texts),
      there_(there),
      out_(*out),
      now_(std::move(now)),
      begun_(now_()),
      pause_(kFirstPause),
      next_(begun_ + kFirstPause) {}

void Meter::Add(uint64_t texts, uint64_t tokens, uint64_t bytes) {
  const MutexLock lock(&mutex_);
  done_ += texts;
  tokens_ += tokens;
  bytes_ += bytes;
  const absl::Time now = now_();
  const bool ended = there_ + done_ == texts_;
  if (now < next_ && !(ended && shown_)) return;
  shown_ = true;
  pause_ = std::min(2 * pause_, kLongestPause);
  next_ = now + pause_;
  out_ << LineOf(now) << std::endl;
}

std::string Meter::Line() const {
  const MutexLock lock(&mutex_);
  return LineOf(now_());
}

std::string Meter::LineOf(absl::Time now) const {
  const double seconds = std::max(absl::ToDoubleSeconds(now - begun_), 1e-9);
  const double texts_left = static_cast<double>(texts_ - there_ - done_);
  const double left = done_ == 0 ? 0 : seconds / static_cast<double>(done_) * texts_left;
  return absl::StrCat(there_ + done_, " of ", texts_, " texts, ", std::llround(static_cast<double>(tokens_) / seconds),
                      " tokens/s, ", SizeText(bytes_), ", ", TimeText(left), " left");
}

}  // namespace hydrophone::client
