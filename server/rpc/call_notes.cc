#include "server/rpc/call_notes.h"

#include <string>
#include <utility>

#include "server/rpc/status.h"

namespace hydrophone {
namespace {

bool IsGivenUp(absl::StatusCode code) {
  return code == absl::StatusCode::kCancelled || code == absl::StatusCode::kDeadlineExceeded;
}

// Whether the server would not do what was asked, as opposed to having failed at it.
bool IsRefusal(absl::StatusCode code) {
  return code != absl::StatusCode::kOk && !IsGivenUp(code) && EndOf(absl::Status(code, "")).code != grpc::INTERNAL;
}

}  // namespace

CallNotes::CallNotes(CallRecord begun, absl::Time start, CallLog* log, Metrics* metrics)
    : start_(start), log_(log), metrics_(metrics), record_(std::move(begun)) {}

CallNotes::~CallNotes() {
  if (IsGivenUp(end_)) metrics_->CallGivenUp(stage_);
  if (IsRefusal(end_)) metrics_->CallRefused(record_.reason);
  log_->CallEnded(std::move(record_));
}

void CallNotes::Reached(CallStage stage) {
  MutexLock lock(&mutex_);
  stage_ = stage;
}

void CallNotes::Planned(size_t inputs, int64_t tokens) {
  MutexLock lock(&mutex_);
  record_.inputs = static_cast<int64_t>(inputs);
  record_.tokens = tokens;
}

void CallNotes::Received(size_t bytes) {
  MutexLock lock(&mutex_);
  record_.request_bytes += bytes;
}

void CallNotes::Sent(size_t bytes) {
  MutexLock lock(&mutex_);
  record_.response_bytes += bytes;
}

void CallNotes::TensorReady(absl::Time now) {
  bool first;
  {
    MutexLock lock(&mutex_);
    first = !std::exchange(tensor_ready_, true);
  }
  if (first) metrics_->FirstTensor(now - start_);
}

void CallNotes::JobEnded(const absl::Status& status, const JobTimings& timings) {
  MutexLock lock(&mutex_);
  record_.queued += timings.queued;
  record_.computed += timings.computed;
  // A job that never was in a batch has no tokens of a batch.
  const bool started = timings.batch_tokens > 0;
  if (status.ok() || IsGivenUp(status.code())) stage_ = started ? CallStage::kComputing : CallStage::kQueued;
}

void CallNotes::Finished(const absl::Status& status) {
  const CallEnd end = EndOf(status);
  MutexLock lock(&mutex_);
  end_ = status.code();
  record_.code = CodeName(end.code);
  record_.reason = end.reason;
  record_.message = std::string(status.message());
}

void CallNotes::Ended(absl::Time now) {
  MutexLock lock(&mutex_);
  record_.ended = now;
  record_.elapsed = now - start_;
}

}  // namespace hydrophone
