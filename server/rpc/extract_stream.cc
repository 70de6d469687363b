#include "server/rpc/extract_stream.h"

#include <utility>

#include "server/core/sha256.h"
#include "server/rpc/generation.h"
#include "server/wire/request_guard.h"

namespace hydrophone {

ExtractStream::ExtractStream(const ServiceContext& service, grpc::CallbackServerContext* context,
                             const grpc::ByteBuffer& request)
    : FrameStream(service, context, request, "Extract") {}

absl::StatusOr<ExtractCall> ExtractStream::ReadRequest(v1::ExtractRequest* request) {
  const absl::StatusOr<RequestBytes> bytes = TakeRequest();
  if (!bytes.ok()) return bytes.status();
  const RequestContext& context = service().request;
  if (absl::Status read = ParseRequest(bytes->view(), context.limits, request); !read.ok()) return read;
  return PlanExtract(*request, Sha256Hex(bytes->view()), context);
}

void ExtractStream::Admit() {
  auto request = std::make_shared<v1::ExtractRequest>();
  absl::StatusOr<ExtractCall> call = ReadRequest(request.get());
  if (!call.ok()) return End(call.status());
  if (call->max_new_tokens > 0 && !call->validate_only) return Generate(std::move(request), *call);
  Submit(*std::move(call));
}

void ExtractStream::Left() { service().scheduler->JobStopped(); }

void ExtractStream::Generate(std::shared_ptr<const v1::ExtractRequest> request, const ExtractCall& call) {
  Generation::Call continuing{
      call_caller(), call_deadline(), [self = Self()] { return self->stopped(); },
      [self = Self(), request = std::move(request), sha256 = call.request_sha256](
          const absl::StatusOr<Continuations>& continuations) { self->Generated(*request, sha256, continuations); }};
  Generation::Start(GreedyContinuation(call, service().request), std::move(continuing), service().scheduler,
                    service().workers);
}

void ExtractStream::Generated(const v1::ExtractRequest& request, const std::string& request_sha256,
                              const absl::StatusOr<Continuations>& continuations) {
  if (!continuations.ok()) return End(continuations.status());
  absl::StatusOr<ExtractCall> call = PlanContinued(request, request_sha256, *continuations, service().request);
  if (!call.ok()) return End(call.status());
  Submit(*std::move(call));
}

void ExtractStream::Submit(ExtractCall call) {
  auto frames = std::make_unique<ExtractFrames>(std::move(call), service().request);
  frames_ = frames.get();
  if (!Take(std::move(frames))) return;
  if (frames_->call().validate_only || plan().captures.empty()) {
    frames_->End(absl::OkStatus(), JobTimings());
  } else if (absl::Status admitted = service().scheduler->Submit(Self()); !admitted.ok()) {
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

}  // namespace hydrophone
