// Verify runs several extracts, one after another, and then compares them, all on a verifier's thread, which may block.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hydrophone/v1/verify.pb.h"
#include "server/base/sha256.h"
#include "server/rpc/collect_job.h"
#include "server/rpc/operations.h"
#include "server/rpc/unary_call.h"
#include "server/verify/call/verify_call.h"

namespace hydrophone {
namespace {

// Runs one of Verify's extracts. Its captures, and the budget that they hold, are freed before this returns.
absl::Status RunExtract(size_t extract, const ServiceContext& service, const UnaryRequest& call, VerifyRun* run) {
  auto job = std::make_shared<CollectJob>(run->call().extracts[extract].plan, call.caller, call.deadline, call.stopped);
  if (absl::Status admitted = service.scheduler->Submit(job); !admitted.ok()) return admitted;
  absl::StatusOr<Collected> collected = job->Await();
  call.notes.JobEnded(collected.status(), job->timings());
  if (!collected.ok()) return collected.status();
  return run->Take(extract, std::move(collected->captures), job->timings().batch_tokens);
}

// Takes what all extracts together ask for of the caller's limits: their captures are kept until the end.
absl::Status TakeOfLimits(const VerifyCall& call, Permit* permit) {
  uint64_t tokens = 0;
  uint64_t bytes = 0;
  for (const ExtractCall& extract : call.extracts) {
    tokens += static_cast<uint64_t>(extract.plan.tokens());
    bytes += extract.plan.capture_bytes;
  }
  return permit->Take(tokens, bytes);
}

absl::StatusOr<v1::VerifyResponse> AnswerVerify(const v1::VerifyRequest& request, const ServiceContext& service,
                                                const UnaryRequest& call) {
  absl::StatusOr<VerifyCall> planned = PlanVerify(request, Sha256Hex(call.bytes), service.request);
  if (!planned.ok()) return planned.status();
  int64_t tokens = 0;
  for (const ExtractCall& extract : planned->extracts) tokens += extract.plan.tokens();
  call.notes.Planned(planned->inputs.size(), tokens);
  if (absl::Status taken = TakeOfLimits(*planned, call.permit); !taken.ok()) return taken;
  VerifyRun run(*std::move(planned), service.request);
  for (size_t extract = 0; extract < run.call().extracts.size(); ++extract) {
    if (absl::Status done = RunExtract(extract, service, call, &run); !done.ok()) return done;
  }
  absl::StatusOr<v1::VerifyResponse> response = run.Finish(*service.engine, call.stopped);
  if (!response.ok() && call.stopped()) return CancelledOrLate(call.deadline, service.clock->Now());
  return response;
}

}  // namespace

grpc::ServerUnaryReactor* StartVerify(const ServiceContext& service, UnaryTransport transport) {
  auto answer = [&service](const UnaryRequest& call) {
    return AnswerMessage<v1::VerifyRequest>(
        call.bytes, service, [&](const v1::VerifyRequest& request) { return AnswerVerify(request, service, call); });
  };
  return StartUnary(service, service.verifiers, "Verify", transport, answer,
                    [&service] { service.scheduler->JobStopped(); });
}

}  // namespace hydrophone
