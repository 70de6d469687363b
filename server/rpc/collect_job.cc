#include "server/rpc/collect_job.h"

#include <utility>

namespace hydrophone {

CollectJob::CollectJob(Plan plan, absl::Time deadline, std::function<bool()> stopped)
    : plan_(std::move(plan)), deadline_(deadline), stopped_(std::move(stopped)) {
  collected_.captures.resize(plan_.captures.size());
}

void CollectJob::OnCapture(size_t index, TensorView rows) {
  std::lock_guard<std::mutex> lock(mutex_);
  collected_.captures[index] = std::move(rows);
}

void CollectJob::OnDone(absl::Status status, JobTimings timings) {
  std::lock_guard<std::mutex> lock(mutex_);
  collected_.timings = timings;
  done_ = std::move(status);
  changed_.notify_all();
}

absl::StatusOr<Collected> CollectJob::Await() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return done_.has_value(); });
  Collected collected = std::exchange(collected_, {});
  if (!done_->ok()) return *done_;
  return collected;
}

}  // namespace hydrophone
