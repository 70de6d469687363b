#include "server/rpc/open_calls.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"
#include "server/core/out_of_memory.h"
#include "server/rpc/status.h"
#include "server/rpc/trace_headers.h"

namespace hydrophone {

OpenCalls::OpenCalls(int max_open, Metrics* metrics, CallLog* log, const Clock* clock)
    : max_open_(max_open), metrics_(metrics), log_(log), clock_(clock) {}

// Nothing is counted yet while this may run out of memory.
std::shared_ptr<CallNotes> OpenCalls::NewNotes(absl::string_view method, absl::Time start, const Caller& caller,
                                               grpc::CallbackServerContext* context) const {
  const TraceHeaders headers = ReadTraceHeaders(context->client_metadata());
  AddTraceTrailers(headers, context);
  CallRecord begun;
  begun.method = std::string(method);
  begun.caller = caller.name;
  begun.request_id = headers.request_id;
  begun.traceparent = headers.traceparent;
  return std::make_shared<CallNotes>(std::move(begun), start, log_, metrics_);
}

OpenCalls::Call::Call(OpenCalls* calls, absl::string_view method, const Caller& caller,
                      grpc::CallbackServerContext* context)
    : calls_(calls),
      method_(method),
      start_(calls->clock_->Now()),
      notes_(calls->NewNotes(method, start_, caller, context)),
      admitted_(calls->Enter()) {
  OrOutOfMemory([this] { calls_->metrics_->RpcStarted(method_); }).IgnoreError();  // without memory it goes uncounted
}

OpenCalls::Call::~Call() {
  OrOutOfMemory([this] {
    const absl::Time now = calls_->clock_->Now();
    notes_->Ended(now);
    notes_.reset();
    calls_->metrics_->RpcHandled(method_, CodeName(code_), now - start_);
  }).IgnoreError();
  calls_->Leave();
}

void OpenCalls::Call::Received(size_t bytes) {
  notes_->Received(bytes);
  OrOutOfMemory([this] { calls_->metrics_->RpcMessageReceived(method_); }).IgnoreError();
}

void OpenCalls::Call::Sent(size_t bytes) {
  notes_->Sent(bytes);
  OrOutOfMemory([&] { calls_->metrics_->RpcMessageSent(method_, bytes); }).IgnoreError();
}

void OpenCalls::Call::Written(absl::Duration elapsed) {
  if (elapsed >= kStalledWrite) calls_->metrics_->WriteStalled();
}

void OpenCalls::Call::Finished(const absl::Status& status) {
  OrOutOfMemory([&] {
    notes_->Finished(status);
    code_ = EndOf(status).code;
  }).IgnoreError();
}

absl::Status OpenCalls::Enter() {
  MutexLock lock(&mutex_);
  ++open_;
  const bool refusing = refusing_, full = open_ > max_open_;
  return OrOutOfMemory([&] {  // whatever it returns, the call is open
    if (refusing) return Draining(absl::Seconds(1));
    if (full) return Overloaded(absl::StrCat("all ", max_open_, " calls are taken"), absl::Seconds(1));
    return absl::OkStatus();
  });
}

void OpenCalls::Leave() {
  MutexLock lock(&mutex_);
  --open_;
  changed_.SignalAll();
}

int OpenCalls::open() const {
  MutexLock lock(&mutex_);
  return open_;
}

void OpenCalls::RefuseFrom(absl::Time time) {
  metrics_->Draining();
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
