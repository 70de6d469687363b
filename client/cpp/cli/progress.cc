#include "client/cpp/cli/progress.h"

#include <utility>

#include "absl/strings/str_format.h"

namespace hydrophone::client {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(2);

}  // namespace

Progress::Progress(std::ostream* out, std::function<absl::Time()> now)
    : out_(*out), now_(std::move(now)), next_(now_() + kInterval) {}

void Progress::Inputs(size_t done, size_t total) {
  inputs_ = done;
  inputs_total_ = total;
  Show();
}

void Progress::Bytes(uint64_t received) {
  bytes_ = received;
  Show();
}

void Progress::End() {
  if (shown_) Print();
}

void Progress::Show() {
  if (now_() < next_) return;
  Print();
  shown_ = true;
  next_ = now_() + kInterval;
}

void Progress::Print() {
  constexpr double kMegabyte = 1e6;
  out_ << absl::StreamFormat("%.1f MB received", static_cast<double>(bytes_) / kMegabyte);
  if (inputs_total_ > 0) out_ << ", " << inputs_ << " of " << inputs_total_ << " inputs done";
  out_ << std::endl;
}

}  // namespace hydrophone::client
