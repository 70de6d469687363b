#include "server/rpc/extract_stream.h"

#include <utility>

#include "server/base/sha256.h"
#include "server/core/out_of_memory.h"
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

void ExtractStream::Admit(std::shared_ptr<CallNotes> notes) {
  auto request = std::make_shared<v1::ExtractRequest>();
  absl::StatusOr<ExtractCall> call = ReadRequest(request.get());
  if (!call.ok()) return End(call.status());
  notes->Planned(call->inputs.size(), call->plan.tokens());
  if (call->max_new_tokens > 0 && !call->validate_only) return Generate(std::move(request), *call, std::move(notes));
  Submit(*std::move(call), std::move(notes));
}

void ExtractStream::Left() { service().scheduler->JobStopped(); }

void ExtractStream::Generate(std::shared_ptr<const v1::ExtractRequest> request, const ExtractCall& call,
                             std::shared_ptr<CallNotes> notes) {
  GreedyContinuation greedy(call, service().request);
  if (absl::Status taken = TakeOfLimits(greedy.MostTokens(), 0); !taken.ok()) return End(taken);
  Generation::Call continuing{call_caller(), call_deadline(), notes, [self = Self()] { return self->stopped(); },
                              [self = Self(), request = std::move(request), sha256 = call.request_sha256,
                               notes](const absl::StatusOr<Continuations>& continuations) {
                                self->Generated(*request, sha256, continuations, notes);
                              }};
  Generation::Start(std::move(greedy), std::move(continuing), service().scheduler, service().workers);
}

void ExtractStream::Generated(const v1::ExtractRequest& request, const std::string& request_sha256,
                              const absl::StatusOr<Continuations>& continuations, std::shared_ptr<CallNotes> notes) {
  const absl::Status submitted = OrOutOfMemory([&] {
    if (!continuations.ok()) return continuations.status();
    absl::StatusOr<ExtractCall> call = PlanContinued(request, request_sha256, *continuations, service().request);
    if (!call.ok()) return call.status();
    notes->Planned(call->inputs.size(), call->plan.tokens());
    Submit(*std::move(call), std::move(notes));
    return absl::OkStatus();
  });
  if (!submitted.ok()) End(submitted);
}

void ExtractStream::Submit(ExtractCall call, std::shared_ptr<CallNotes> notes) {
  const bool computes = !call.validate_only && !call.plan.captures.empty();
  if (computes) {
    const absl::Status taken = TakeOfLimits(static_cast<uint64_t>(call.plan.tokens()), call.plan.capture_bytes);
    if (!taken.ok()) return End(taken);
  }
  auto frames = std::make_unique<ExtractFrames>(std::move(call), service().request);
  frames_ = frames.get();
  if (!Take(std::move(frames))) return;
  if (!computes) {
    notes->Reached(CallStage::kSending);
    frames_->End(absl::OkStatus(), JobTimings());
    return Wake();
  }
  job_notes_ = std::move(notes);
  if (absl::Status admitted = service().scheduler->Submit(Self()); !admitted.ok()) {
    job_notes_.reset();
    return End(admitted);
  }
  Wake();
}

void ExtractStream::OnCapture(size_t index, TensorView rows) {
  job_notes_->TensorReady(service().clock->Now());
  const absl::Status added = OrOutOfMemory([&] { frames_->Add(index, std::move(rows)); });
  if (!added.ok()) return End(added);
  Wake();
}

void ExtractStream::OnEnd(absl::Status status, JobTimings timings) {
  job_notes_->JobEnded(status, timings);
  if (status.ok()) job_notes_->Reached(CallStage::kSending);
  job_notes_.reset();
  const absl::Status ended = OrOutOfMemory([&] { frames_->End(std::move(status), timings); });
  if (!ended.ok()) return End(ended);
  Wake();
}

}  // namespace hydrophone
