#include "server/rpc/collect_job.h"

#include <utility>

namespace hydrophone {

CollectJob::CollectJob(Plan plan, Caller caller, absl::Time deadline, std::function<bool()> stopped)
    : plan_(std::move(plan)), caller_(std::move(caller)), deadline_(deadline), stopped_(std::move(stopped)) {
  collected_.captures.resize(plan_.captures.size());
}

void CollectJob::OnCapture(size_t index, TensorView rows) {
  MutexLock lock(&mutex_);
  collected_.captures[index] = std::move(rows);
}

void CollectJob::OnEnd(absl::Status status, JobTimings timings) {
  MutexLock lock(&mutex_);
  timings_ = timings;
  end_ = std::move(status);
  changed_.SignalAll();
}

absl::StatusOr<Collected> CollectJob::Await() {
  Collected collected;  // freed, after an error, without the mutex
  MutexLock lock(&mutex_);
  while (!end_.has_value()) changed_.Wait(&mutex_);
  collected = std::exchange(collected_, {});
  if (!end_->ok()) return *end_;
  return collected;
}

JobTimings CollectJob::timings() {
  MutexLock lock(&mutex_);
  return timings_;
}

}  // namespace hydrophone
