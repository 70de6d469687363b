// The stations of a Verify request: what to extract, what came back, what the answer says.
//
// clang-format off
//   VerifyRequest ─ PlanVerify ─► VerifyCall ─ its extracts, one after another ─► VerifyRun.Take ─►
//   VerifyRun.Finish ─► VerifyResponse
// clang-format on
//
// The captures take the same way as Extract's: planned by PlanExtract, cut into messages by
// CaptureFrames, put together again by the assembler, their checksums compared. What is measured is
// what a client would have got.
#ifndef HYDROPHONE_SERVER_VERIFY_CALL_VERIFY_CALL_H_
#define HYDROPHONE_SERVER_VERIFY_CALL_VERIFY_CALL_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hydrophone/v1/verify.pb.h"
#include "server/core/engine.h"
#include "server/core/tensor.h"
#include "server/plan/inputs/extract_call.h"
#include "server/verify/verify.h"

namespace hydrophone {

// A Verify request, read.
struct VerifyCall {
  // What to run, each as a request of its own: with separate passes no buffer is compared with itself.
  // The last one only where the reference is compared.
  enum : size_t { kStates, kBlocks, kAlone, kReference };
  std::vector<ExtractCall> extracts;

  std::vector<PlannedInput> inputs;  // as the server understood them; the extracts hold their tokens
  VerifyOptions options;
  std::string request_sha256;
};

// Reads, validates and plans. No inputs mean the lesson's sentence. Tokenizes, so it belongs on a worker thread.
// Thread-safe. INVALID_ARGUMENT with every violation's field path, or TOO_LARGE naming what is
// needed and what is allowed: the extracts' tokens together against max_tokens_per_request, their
// captures together against max_response_bytes, and with include_residuals the residuals against
// one message; FAILED_PRECONDITION for another model or numerics. The reference is compared on as many of
// max_reference_tokens as these limits leave room for, and refused if that is not one.
absl::StatusOr<VerifyCall> PlanVerify(const v1::VerifyRequest& request, std::string request_sha256,
                                      const RequestContext& context);

// Takes the extracts' captures and answers. One thread at a time.
//
// The caller submits call().extracts[i].plan for each i, *one after another*, and hands the captures of each to Take
// before it submits the next: Take copies the values and releases the captures, so that a Verify never holds a share of
// the response budget while it waits for another. The copies stay until Finish. They are at most max_response_bytes for
// each Verify, so the caller must bound how many run at once.
class VerifyRun {
 public:
  // Everything that `context` refers to outlives this.
  VerifyRun(VerifyCall call, const RequestContext& context);

  const VerifyCall& call() const { return call_; }

  // `captures[k]` is what CaptureSink::OnCapture gave for extracts[extract].plan.captures[k]; all
  // of them are given. `batch_tokens`: tokens of the whole batch in which the extract was computed
  // (JobTimings::batch_tokens). Called once for each extract. Encodes and decodes every byte once, about a second for a
  // gigabyte, so it belongs on a worker thread. INTERNAL when the bytes do not survive that.
  absl::Status Take(size_t extract, std::vector<TensorView> captures, int64_t batch_tokens);

  // Called after all extracts were taken. Takes seconds (see Verify), so it belongs on a worker thread. `stopped` is
  // asked as in Verify: whether the call was cancelled or its deadline has passed; then CANCELLED.
  absl::StatusOr<v1::VerifyResponse> Finish(const Engine& engine, const std::function<bool()>& stopped);

 private:
  VerifyCall call_;
  RequestContext context_;
  VerifyInputs inputs_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_CALL_VERIFY_CALL_H_
