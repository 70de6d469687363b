#include "server/rpc/frame_stream.h"

#include <utility>

#include "server/core/errors.h"
#include "server/rpc/caller_of.h"
#include "server/rpc/status.h"
#include "server/rpc/unary_call.h"

namespace hydrophone {

FrameStream::FrameStream(const ServiceContext& service, grpc::CallbackServerContext* context,
                         const grpc::ByteBuffer& request, const char* method)
    : service_(service),
      context_(context),
      request_(request),
      deadline_(DeadlineOf(*context)),
      caller_(CallerOf(*context)),
      call_(std::in_place, service.calls, method, caller_, context) {
  call_->Received(request.Length());
}

void FrameStream::Start() {
  self_ = shared_from_this();
  place_ = service_.streams->Add(weak_from_this());
  if (!call_->admitted().ok()) return End(call_->admitted());
  auto admit = [self = shared_from_this(), notes = call_->notes()]() mutable {
    if (!self->stopped_) self->Admit(std::move(notes));  // otherwise OnCancel has ended it
  };
  if (!service_.workers->Offer(caller_, static_cast<int64_t>(request_.Length()), std::move(admit))) {
    End(Overloaded("too many calls wait for a worker", absl::Seconds(1)));
  }
}

absl::StatusOr<RequestBytes> FrameStream::TakeRequest() {
  absl::StatusOr<RequestBytes> bytes = RequestBytes::Read(request_, service_.request.limits);
  request_.Clear();
  return bytes;
}

bool FrameStream::Take(std::unique_ptr<FrameSource> source) {
  MutexLock lock(&mutex_);
  if (state_.ended()) return false;
  source_ = std::move(source);
  return true;
}

void FrameStream::Wake() {
  MutexLock lock(&mutex_);
  if (state_.Wake()) service_.workers->AddStep([self = shared_from_this()] { self->Pump(); });
}

void FrameStream::Pump() {
  while (PumpOnce()) {
  }
  FinishIfDue();
}

bool FrameStream::MayEncode() {
  MutexLock lock(&mutex_);
  return state_.MayEncode();
}

bool FrameStream::PumpOnce() {
  if (!MayEncode()) return false;
  FrameSource::Step step = source_->Next();
  std::optional<grpc::ByteBuffer> message;
  if (step.frame.has_value()) message = ToByteBuffer(*step.frame);
  StreamState<grpc::ByteBuffer>::AfterEncoding after;
  {
    MutexLock lock(&mutex_);
    after = state_.Encoded(std::move(message), std::move(step.finish));
  }
  if (after.write) WriteMessage();
  return after.again;
}

void FrameStream::WriteMessage() {
  const grpc::ByteBuffer* message;
  {
    MutexLock lock(&mutex_);
    message = state_.writing();
  }
  call_->Sent(message->Length());
  writing_since_ = absl::ToUnixNanos(service_.clock->Now());
  StartWrite(message);
}

void FrameStream::OnWriteDone(bool ok) {
  const absl::Time now = service_.clock->Now();
  const absl::Duration took = now - writing_since();
  writing_since_ = kNotWriting;
  StreamState<grpc::ByteBuffer>::AfterWriting after;
  {
    MutexLock lock(&mutex_);
    after = ok ? state_.Written() : state_.Failed(CancelledOrLate(deadline_, now));
  }
  call_->Written(took);
  if (!ok) return OnCancel();
  Wake();  // the next message is encoded while this one is being sent
  if (after.write) WriteMessage();
  FinishIfDue();
}

void FrameStream::EndWith(const absl::Status& status) {
  End(status);
  stopped_ = true;
  Left();
}

void FrameStream::Cut() {
  {
    MutexLock lock(&mutex_);
    if (cutting_ || state_.finished()) return;
    cutting_ = true;
  }
  context_->TryCancel();  // without mutex_: gRPC may call OnCancel from inside
  {
    MutexLock lock(&mutex_);
    cutting_ = false;
  }
  FinishIfDue();
}

void FrameStream::OnCancel() {
  stopped_ = true;
  End(CancelledOrLate(deadline_, service_.clock->Now()));
  Left();
}

void FrameStream::End(const absl::Status& status) {
  std::optional<grpc::ByteBuffer> unsent;
  FrameSource* source;
  {
    MutexLock lock(&mutex_);
    unsent = state_.End(status, stopped_);
    source = source_.get();
  }
  if (source != nullptr) source->Abandon();
  FinishIfDue();
}

void FrameStream::FinishIfDue() {
  auto alive = shared_from_this();
  std::optional<absl::Status> end;
  {
    MutexLock lock(&mutex_);
    if (!cutting_) end = state_.TakeFinish();
  }
  if (!end.has_value()) return;
  call_->Finished(*end);
  Finish(FinalStatus(*end, context_));
}

void FrameStream::OnDone() {
  call_.reset();
  service_.streams->Remove(*place_);
  self_.reset();
}

}  // namespace hydrophone
