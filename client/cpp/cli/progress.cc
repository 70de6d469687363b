#include "client/cpp/cli/progress.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "client/cpp/extract_all.h"

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

void Progress::AddBytes(uint64_t received) {
  bytes_ += received;
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

absl::Status ProgressingSink::OnTensor(ReceivedTensor tensor) {
  progress_.AddBytes(tensor.bytes.size());
  return sink_.OnTensor(std::move(tensor));
}

absl::Status ProgressingSink::OnValues(v1::Values values) {
  progress_.AddBytes(values.ByteSizeLong());
  return sink_.OnValues(std::move(values));
}

absl::Status ExtractWithProgress(Client& client, const v1::ExtractRequest& request, ExtractSink* sink,
                                 std::ostream* out) {
  Progress progress(out);
  ProgressingSink progressing(sink, &progress);
  absl::Status status =
      ExtractAll(client, request, &progressing, [&](size_t done, size_t total) { progress.Inputs(done, total); });
  progress.End();
  return status;
}

void Progress::Print() {
  constexpr double kMegabyte = 1e6;
  out_ << absl::StreamFormat("%.1f MB received", static_cast<double>(bytes_) / kMegabyte);
  if (inputs_total_ > 0) out_ << ", " << inputs_ << " of " << inputs_total_ << " inputs done";
  out_ << std::endl;
}

}  // namespace hydrophone::client
