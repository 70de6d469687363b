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
  RequestBytes bytes(request_);
  request_.Clear();
  if (absl::Status read = ParseRequest(bytes.view(), service_.request.limits, request); !read.ok()) return read;
  return PlanExtract(*request, Sha256Hex(bytes.view()), service_.request);
}

void ExtractStream::Admit() {
  if (stopped_) return;  // OnCancel has ended it
  auto request = std::make_shared<v1::ExtractRequest>();
  absl::StatusOr<ExtractCall> call = ReadRequest(request.get());
  if (!call.ok()) return End(call.status());
  if (call->max_new_tokens > 0 && !call->validate_only) return Continue(std::move(request), *call);
  Submit(*std::move(call));
}

void ExtractStream::Continue(std::shared_ptr<const v1::ExtractRequest> request, const ExtractCall& call) {
  Generation::Caller caller{
      deadline_, [self = shared_from_this()] { return self->stopped_.load(); },
      [self = shared_from_this(), request = std::move(request), sha256 = call.request_sha256](
          const absl::StatusOr<Continuations>& continuations) { self->Continued(*request, sha256, continuations); }};
  Generation::Start(GreedyContinuation(call, service_.request), std::move(caller), service_.scheduler,
                    service_.workers);
}

void ExtractStream::Continued(const v1::ExtractRequest& request, const std::string& request_sha256,
                              const absl::StatusOr<Continuations>& continuations) {
  if (!continuations.ok()) return End(continuations.status());
  absl::StatusOr<ExtractCall> call = PlanContinued(request, request_sha256, *continuations, service_.request);
  if (!call.ok()) return End(call.status());
  Submit(*std::move(call));
}

void ExtractStream::Submit(ExtractCall call) {
  auto frames = std::make_unique<ExtractFrames>(std::move(call), service_.request);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (ended_.has_value()) return;
    frames_ = std::move(frames);
  }
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

void ExtractStream::OnDone(absl::Status status, JobTimings timings) {
  frames_->End(std::move(status), timings);
  Wake();
}

void ExtractStream::Wake() {
  std::lock_guard<std::mutex> lock(mutex_);
  again_ = true;
  if (pumping_ || ended_.has_value()) return;
  pumping_ = true;
  service_.workers->Continue([self = shared_from_this()] { self->Pump(); });
}

void ExtractStream::Pump() {
  while (PumpOnce()) {
  }
  FinishIfDue();
}

bool ExtractStream::PumpOnce() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    again_ = false;
    if (ended_.has_value() || ready_.has_value()) {  // with a frame ready, OnWriteDone wakes us
      pumping_ = false;
      return false;
    }
  }
  ExtractFrames::Step step = frames_->Next();
  std::optional<grpc::ByteBuffer> message;
  if (step.frame.has_value()) message = ToByteBuffer(*step.frame);
  bool write = false;
  bool more = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (message.has_value() && !ended_.has_value()) write = Queue(*std::move(message));
    if (step.finish.has_value() && !ended_.has_value()) ended_ = std::move(step.finish);
    more = step.frame.has_value() || again_;
    if (!more) pumping_ = false;
  }
  if (write) StartWrite(&*writing_);
  return more;
}

bool ExtractStream::Queue(grpc::ByteBuffer message) {
  if (writing_.has_value()) {
    ready_ = std::move(message);
    return false;
  }
  call_->Sent(message.Length());
  writing_ = std::move(message);
  return true;
}

void ExtractStream::OnWriteDone(bool ok) {
  std::optional<grpc::ByteBuffer> sent;  // freed after the lock
  bool write = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    sent = std::exchange(writing_, std::nullopt);
    if (ok && ready_.has_value()) write = Queue(*std::exchange(ready_, std::nullopt));
  }
  if (!ok) return OnCancel();  // the stream is broken: nobody reads
  Wake();                      // the next is encoded while this one is being sent
  if (write) StartWrite(&*writing_);
  FinishIfDue();
}

void ExtractStream::OnCancel() {
  stopped_ = true;
  End(CancelledOrLate(deadline_, service_.clock->Now()));
  service_.scheduler->JobStopped();
}

void ExtractStream::End(const absl::Status& status) {
  ExtractFrames* frames;
  std::optional<grpc::ByteBuffer> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!ended_.has_value() || stopped_) ended_ = status;
    dropped = std::exchange(ready_, std::nullopt);
    frames = frames_.get();
  }
  if (frames != nullptr) frames->Abandon();
  FinishIfDue();
}

void ExtractStream::FinishIfDue() {
  auto alive = shared_from_this();
  grpc::Status final_status;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!MayFinish()) return;
    finished_ = true;
    final_status = FinalStatus(*ended_, context_);
    call_->Finished(final_status.error_code());
  }
  Finish(std::move(final_status));
}

void ExtractStream::OnDone() {
  call_.reset();
  self_.reset();
}

}  // namespace hydrophone
