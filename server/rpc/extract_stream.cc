#include "server/rpc/extract_stream.h"

#include <utility>

#include "server/core/errors.h"
#include "server/core/sha256.h"
#include "server/rpc/byte_buffers.h"
#include "server/rpc/generation.h"
#include "server/rpc/status.h"
#include "server/rpc/unary_call.h"
#include "server/wire/request_guard.h"

namespace hydrophone {

ExtractStream::ExtractStream(const ServiceContext& service, grpc::CallbackServerContext* context,
                             const grpc::ByteBuffer& request)
    : service_(service),
      context_(context),
      request_(request),
      deadline_(DeadlineOf(*context)),
      call_(std::in_place, service.calls, "Extract") {}

void ExtractStream::Start() {
  self_ = shared_from_this();
  if (!call_->admitted().ok()) return End(call_->admitted());
  if (!service_.workers->Offer([self = shared_from_this()] { self->Admit(); })) {
    End(Overloaded("too many calls wait for a worker", absl::Seconds(1)));
  }
}

absl::StatusOr<ExtractCall> ExtractStream::ReadRequest(v1::ExtractRequest* request) {
  absl::StatusOr<RequestBytes> bytes = RequestBytes::Read(request_, service_.request.limits);
  request_.Clear();
  if (!bytes.ok()) return bytes.status();
  if (absl::Status read = ParseRequest(bytes->view(), service_.request.limits, request); !read.ok()) return read;
  return PlanExtract(*request, Sha256Hex(bytes->view()), service_.request);
}

void ExtractStream::Admit() {
  if (stopped_) return;  // OnCancel has ended it
  auto request = std::make_shared<v1::ExtractRequest>();
  absl::StatusOr<ExtractCall> call = ReadRequest(request.get());
  if (!call.ok()) return End(call.status());
  if (call->max_new_tokens > 0 && !call->validate_only) return Generate(std::move(request), *call);
  Submit(*std::move(call));
}

void ExtractStream::Generate(std::shared_ptr<const v1::ExtractRequest> request, const ExtractCall& call) {
  Generation::Caller caller{
      deadline_, [self = shared_from_this()] { return self->stopped_.load(); },
      [self = shared_from_this(), request = std::move(request), sha256 = call.request_sha256](
          const absl::StatusOr<Continuations>& continuations) { self->Generated(*request, sha256, continuations); }};
  Generation::Start(GreedyContinuation(call, service_.request), std::move(caller), service_.scheduler,
                    service_.workers);
}

void ExtractStream::Generated(const v1::ExtractRequest& request, const std::string& request_sha256,
                              const absl::StatusOr<Continuations>& continuations) {
  if (!continuations.ok()) return End(continuations.status());
  absl::StatusOr<ExtractCall> call = PlanContinued(request, request_sha256, *continuations, service_.request);
  if (!call.ok()) return End(call.status());
  Submit(*std::move(call));
}

bool ExtractStream::TakeFrames(std::unique_ptr<ExtractFrames> frames) {
  MutexLock lock(&mutex_);
  if (state_.ended()) return false;
  frames_ = std::move(frames);
  return true;
}

void ExtractStream::Submit(ExtractCall call) {
  if (!TakeFrames(std::make_unique<ExtractFrames>(std::move(call), service_.request))) return;
  if (frames_->call().validate_only || plan().captures.empty()) {
    frames_->End(absl::OkStatus(), JobTimings());
  } else if (absl::Status admitted = service_.scheduler->Submit(shared_from_this()); !admitted.ok()) {
    return End(admitted);
  }
  Wake();
}

void ExtractStream::OnCapture(size_t index, TensorView rows) {
  frames_->Add(index, std::move(rows));
  Wake();
}

void ExtractStream::OnEnd(absl::Status status, JobTimings timings) {
  frames_->End(std::move(status), timings);
  Wake();
}

void ExtractStream::Wake() {
  MutexLock lock(&mutex_);
  if (state_.Wake()) service_.workers->AddStep([self = shared_from_this()] { self->Pump(); });
}

void ExtractStream::Pump() {
  while (PumpOnce()) {
  }
  FinishIfDue();
}

bool ExtractStream::MayEncode() {
  MutexLock lock(&mutex_);
  return state_.MayEncode();
}

bool ExtractStream::PumpOnce() {
  if (!MayEncode()) return false;
  ExtractFrames::Step step = frames_->Next();
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

void ExtractStream::WriteMessage() {
  const grpc::ByteBuffer* message;
  {
    MutexLock lock(&mutex_);
    message = state_.writing();
  }
  call_->Sent(message->Length());
  StartWrite(message);
}

void ExtractStream::OnWriteDone(bool ok) {
  StreamState<grpc::ByteBuffer>::AfterWriting after;
  {
    MutexLock lock(&mutex_);
    after = ok ? state_.Written() : state_.Failed(CancelledOrLate(deadline_, service_.clock->Now()));
  }
  if (!ok) return OnCancel();
  Wake();  // the next message is encoded while this one is being sent
  if (after.write) WriteMessage();
  FinishIfDue();
}

void ExtractStream::OnCancel() {
  stopped_ = true;
  End(CancelledOrLate(deadline_, service_.clock->Now()));
  service_.scheduler->JobStopped();
}

void ExtractStream::End(const absl::Status& status) {
  std::optional<grpc::ByteBuffer> unsent;
  ExtractFrames* frames;
  {
    MutexLock lock(&mutex_);
    unsent = state_.End(status, stopped_);
    frames = frames_.get();
  }
  if (frames != nullptr) frames->Abandon();
  FinishIfDue();
}

void ExtractStream::FinishIfDue() {
  auto alive = shared_from_this();
  std::optional<absl::Status> end;
  {
    MutexLock lock(&mutex_);
    end = state_.TakeFinish();
  }
  if (!end.has_value()) return;
  grpc::Status final_status = FinalStatus(*end, context_);
  call_->Finished(final_status.error_code());
  Finish(std::move(final_status));
}

void ExtractStream::OnDone() {
  call_.reset();
  self_.reset();
}

}  // namespace hydrophone
