#include "server/access/account.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"

namespace hydrophone {
namespace {

// After which a caller may try again for what its own calls hold: their length is not known.
constexpr absl::Duration kUntilACallEnds = absl::Seconds(1);

}  // namespace

Account::Account(std::string name, CallerLimits limits, const Clock* clock)
    : name_(std::move(name)),
      clock_(clock),
      limits_(limits),
      bucket_(static_cast<double>(limits.tokens_per_second)),
      filled_(clock->Now()) {}

void Account::SetLimits(const CallerLimits& limits) {
  MutexLock lock(&mutex_);
  if (limits.tokens_per_second != limits_.tokens_per_second) {
    bucket_ = static_cast<double>(limits.tokens_per_second);
    filled_ = clock_->Now();
  }
  limits_ = limits;
}

absl::Status Account::Enter() {
  MutexLock lock(&mutex_);
  if (limits_.requests > 0 && open_ >= limits_.requests) {
    return CallerLimit(absl::StrCat(name_, " has ", open_, " calls open, and may have ", limits_.requests),
                       kUntilACallEnds);
  }
  ++open_;
  return absl::OkStatus();
}

void Account::Leave(uint64_t bytes) {
  MutexLock lock(&mutex_);
  --open_;
  bytes_ -= bytes;
}

absl::Status Account::Take(uint64_t tokens, uint64_t bytes) {
  MutexLock lock(&mutex_);
  if (absl::Status fits = CheckBytes(bytes); !fits.ok()) return fits;
  if (absl::Status taken = TakeTokens(tokens); !taken.ok()) return taken;
  bytes_ += bytes;
  return absl::OkStatus();
}

absl::Status Account::CheckBytes(uint64_t bytes) const {
  const uint64_t most = limits_.bytes_in_flight;
  if (most == 0 || bytes == 0) return absl::OkStatus();
  if (bytes > most) return TooLarge("hooks", bytes, most, absl::StrCat("bytes of captures in flight for ", name_));
  if (bytes <= most - std::min(most, bytes_)) return absl::OkStatus();
  return CallerLimit(absl::StrCat("the open calls of ", name_, " hold ", bytes_, " bytes of captures, this one needs ",
                                  bytes, ", and ", most, " may be held together"),
                     kUntilACallEnds);
}

absl::Status Account::TakeTokens(uint64_t tokens) {
  if (limits_.tokens_per_second == 0 || tokens == 0) return absl::OkStatus();
  const auto rate = static_cast<double>(limits_.tokens_per_second);
  const absl::Time now = clock_->Now();
  bucket_ = std::min(rate, bucket_ + rate * std::max(0.0, absl::ToDoubleSeconds(now - filled_)));
  filled_ = now;
  const double missing = std::min(rate, static_cast<double>(tokens)) - bucket_;
  if (missing > 0) {
    const absl::Duration wait = absl::Ceil(absl::Seconds(missing / rate), absl::Milliseconds(1));
    return CallerLimit(absl::StrCat(name_, " may have ", limits_.tokens_per_second,
                                    " tokens a second computed, and has had them; this call needs ", tokens),
                       wait);
  }
  bucket_ -= static_cast<double>(tokens);
  return absl::OkStatus();
}

}  // namespace hydrophone
