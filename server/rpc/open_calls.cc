#include "server/rpc/open_calls.h"

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"
#include "server/rpc/status.h"

namespace hydrophone {

OpenCalls::OpenCalls(int max_open, Metrics* metrics, const Clock* clock)
    : max_open_(max_open), metrics_(metrics), clock_(clock) {}

OpenCalls::Call::Call(OpenCalls* calls, const char* method)
    : calls_(calls), method_(method), start_(calls->clock_->Now()), admitted_(calls->Enter()) {
  calls_->metrics_->RpcStarted(method_);
  calls_->metrics_->RpcMessageReceived(method_);
}

OpenCalls::Call::~Call() {
  calls_->metrics_->RpcHandled(method_, CodeName(code_), calls_->clock_->Now() - start_);
  calls_->Leave();
}

void OpenCalls::Call::Sent(size_t bytes) { calls_->metrics_->RpcMessageSent(method_, bytes); }

absl::Status OpenCalls::Enter() {
  MutexLock lock(&mutex_);
  ++open_;
  if (refusing_) return Draining(absl::Seconds(1));
  if (open_ > max_open_) return Overloaded(absl::StrCat("all ", max_open_, " calls are taken"), absl::Seconds(1));
  return absl::OkStatus();
}

void OpenCalls::Leave() {
  MutexLock lock(&mutex_);
  --open_;
  changed_.SignalAll();
}

void OpenCalls::RefuseFrom(absl::Time time) {
  MutexLock lock(&mutex_);
  while (clock_->Now() < time) clock_->WaitUntil(changed_, &mutex_, time);
  refusing_ = true;
}

bool OpenCalls::AwaitNone(absl::Time deadline) {
  MutexLock lock(&mutex_);
  while (open_ > 0 && clock_->Now() < deadline) clock_->WaitUntil(changed_, &mutex_, deadline);
  return open_ == 0;
}

}  // namespace hydrophone
