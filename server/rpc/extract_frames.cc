#include "server/rpc/extract_frames.h"

namespace hydrophone {

ExtractFrames::ExtractFrames(ExtractCall call, const RequestContext& context)
    : call_(std::move(call)), context_(context) {}

void ExtractFrames::Add(size_t capture_index, TensorView rows) {
  MutexLock lock(&mutex_);
  if (!abandoned_) outbox_.push_back({capture_index, std::move(rows)});
}

void ExtractFrames::End(absl::Status status, JobTimings timings) {
  std::deque<Captured> dropped;  // freed after the lock
  MutexLock lock(&mutex_);
  if (!status.ok()) dropped.swap(outbox_);
  ended_ = std::move(status);
  timings_ = timings;
}

void ExtractFrames::Abandon() {
  std::deque<Captured> dropped;  // freed after the lock
  MutexLock lock(&mutex_);
  abandoned_ = true;
  dropped.swap(outbox_);
}

std::optional<ExtractFrames::Captured> ExtractFrames::Take() {
  MutexLock lock(&mutex_);
  if (outbox_.empty()) return std::nullopt;
  Captured captured = std::move(outbox_.front());
  outbox_.pop_front();
  return captured;
}

std::optional<absl::Status> ExtractFrames::Failure() {
  MutexLock lock(&mutex_);
  if (!ended_.has_value() || ended_->ok()) return std::nullopt;
  return ended_;
}

ExtractFrames::Step ExtractFrames::Next() {
  if (std::optional<absl::Status> failure = Failure()) return {std::nullopt, std::move(failure)};
  if (!header_sent_) {
    header_sent_ = true;
    return {EncodeHeader(call_, context_), std::nullopt};
  }
  if (inputs_sent_ < call_.inputs.size()) {
    return {EncodeInputInfo(call_, inputs_sent_++, context_.tokenizer), std::nullopt};
  }
  while (true) {
    if (!current_.has_value()) {
      std::optional<Captured> captured = Take();
      if (!captured.has_value()) return AfterCaptures();
      current_.emplace(call_, captured->index, std::move(captured->rows), context_.limits.max_message_bytes);
    }
    if (std::optional<Frame> frame = current_->Next()) return {std::move(frame), std::nullopt};
    nonfinite_ += current_->nonfinite();
    current_.reset();
  }
}

ExtractFrames::Step ExtractFrames::AfterCaptures() {
  MutexLock lock(&mutex_);
  if (!outbox_.empty() || !ended_.has_value()) return {};
  if (trailer_sent_ || !ended_->ok()) return {std::nullopt, *ended_};
  trailer_sent_ = true;
  StreamTotals totals;
  totals.nonfinite = nonfinite_;
  totals.queue_seconds = absl::ToDoubleSeconds(timings_.queued);
  totals.compute_seconds = absl::ToDoubleSeconds(timings_.computed);
  totals.batch_tokens = timings_.batch_tokens;
  return {EncodeTrailer(call_, totals), std::nullopt};
}

}  // namespace hydrophone
