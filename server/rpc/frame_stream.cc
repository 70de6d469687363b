#include "server/rpc/frame_stream.h"

#include <utility>

#include "server/core/errors.h"
#include "server/core/out_of_memory.h"
#include "server/rpc/status.h"
#include "server/rpc/unary_call.h"

namespace hydrophone {

FrameStream::FrameStream(const ServiceContext& service, grpc::CallbackServerContext* context,
                         const grpc::ByteBuffer& request, const char* method)
    : service_(service),
      context_(context),
      request_(request),
      deadline_(DeadlineOf(*context)),
      permit_(PermitOf(*context, service.access)),
      caller_(CallerOf(permit_, *context)),
      call_(std::in_place, service.calls, method, caller_, context) {
  call_->Received(request.Length());
}

void FrameStream::Start() {
  self_ = shared_from_this();
  place_ = service_.streams->Add(weak_from_this());
  if (!permit_.ok()) return End(permit_.status());
  if (!call_->admitted().ok()) return End(call_->admitted());
  const absl::Status offered = OrOutOfMemory([this] {
    auto admit = [self = shared_from_this(), notes = call_->notes()]() mutable {
      self->AdmitOnWorker(std::move(notes));
    };
    const auto cost = static_cast<int64_t>(request_.Length());
    if (service_.workers->Offer(caller_, cost, std::move(admit))) return absl::OkStatus();
    return Overloaded("too many calls wait for a worker", absl::Seconds(1));
  });
  if (!offered.ok()) End(offered);
}

void FrameStream::AdmitOnWorker(std::shared_ptr<CallNotes> notes) {
  if (stopped_) return;  // OnCancel has ended it
  const absl::Status admitted = OrOutOfMemory([&] { Admit(std::move(notes)); });
  if (!admitted.ok()) End(admitted);
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
  const absl::Status started = OrOutOfMemory([this] {
    MutexLock lock(&mutex_);
    if (state_.Wake()) service_.workers->AddStep([self = shared_from_this()] { self->Pump(); });
  });
  if (started.ok()) return;
  {
    MutexLock lock(&mutex_);  // the task that could not start ends without having found anything
    if (state_.MayEncode()) state_.Encoded(std::nullopt, std::nullopt);
  }
  End(started);
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
  FrameSource::Step step;
  std::optional<grpc::ByteBuffer> message;
  const absl::Status encoded = OrOutOfMemory([&] {
    step = source_->Next();
    if (step.frame.has_value()) message = ToByteBuffer(*step.frame);
  });
  if (!encoded.ok()) {
    step.finish = encoded;
    Abandon(source_.get());
  }
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
  const absl::Status broken = ok ? absl::OkStatus() : WhyOver();
  {
    MutexLock lock(&mutex_);
    after = ok ? state_.Written() : state_.Failed(broken);
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
  End(WhyOver());
  OrOutOfMemory([this] { Left(); }).IgnoreError();  // without memory, the job notices at its turn
}

absl::Status FrameStream::WhyOver() const {
  return OrOutOfMemory([this] { return CancelledOrLate(deadline_, service_.clock->Now()); });
}

void FrameStream::Abandon(FrameSource* source) {
  OrOutOfMemory([&] { source->Abandon(); }).IgnoreError();  // without memory, it is dropped with the stream
}

void FrameStream::End(const absl::Status& status) {
  std::optional<grpc::ByteBuffer> unsent;
  FrameSource* source;
  {
    MutexLock lock(&mutex_);
    unsent = state_.End(status, stopped_);
    source = source_.get();
  }
  if (source != nullptr) Abandon(source);
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
  if (permit_.ok()) (*permit_)->End();
  Finish(FinalStatus(*end, context_));
}

void FrameStream::OnDone() {
  call_.reset();
  service_.streams->Remove(*place_);
  self_.reset();
}

}  // namespace hydrophone
