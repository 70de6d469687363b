// An Extract request, read: what the model must do (the plan) and how the answer is told.
#ifndef HYDROPHONE_SERVER_PLAN_INPUTS_EXTRACT_CALL_H_
#define HYDROPHONE_SERVER_PLAN_INPUTS_EXTRACT_CALL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/core/limits.h"
#include "server/core/model_info.h"
#include "server/core/plan.h"
#include "server/core/tokenizer.h"

namespace hydrophone {

// What requests are read against. All of it outlives the calls.
struct RequestContext {
  const ModelInfo& model;
  const ComputeInfo& compute;
  const Tokenizer& tokenizer;
  const Limits& limits;
  std::string server_version;
};

// An input as understood: what its InputInfo says.
struct PlannedInput {
  std::string key;
  std::vector<uint32_t> token_ids;     // empty when skipped
  std::vector<uint32_t> byte_offsets;  // as long as token_ids
  uint32_t byte_end = 0;               // where the last token's bytes end
  uint32_t truncated_tokens = 0;
  std::string skipped;  // why; empty when it was not
};

// How one capture is told.
struct CaptureFormat {
  enum class Form : uint8_t {
    kPerRun,      // a tensor of each run
    kRows,        // one tensor with the rows of all runs
    kScores,      // what a readout says of each run's rows
    kComparison,  // how the first of the capture's two runs differs from the second
  };

  Form form = Form::kPerRun;
  v1::View view = v1::VIEW_BYTES;                     // kPerRun, kRows
  v1::Dtype dtype = v1::DTYPE_FLOAT32;                // VIEW_BYTES: of the elements sent
  std::shared_ptr<const v1::SummaryOptions> summary;  // VIEW_SUMMARY; null: the moments alone
  std::string metric;                                 // kScores: the metric's key; empty for a logit lens
  uint32_t first_tensor = 0;                          // the stream's number of its first tensor

  bool one_tensor() const { return form == Form::kRows || form == Form::kComparison; }
};

struct ExtractCall {
  Plan plan;
  std::vector<PlannedInput> inputs;

  // Of each of plan.runs, the number that the request gives it (its place in the request's runs, or
  // inputs when there are none): what answers call it. They differ from plan.runs' own places when
  // inputs were skipped.
  std::vector<uint32_t> run_numbers;

  std::vector<CaptureFormat> formats;  // one for each of plan.captures
  v1::Layout layout = v1::LAYOUT_PER_RUN;
  bool validate_only = false;

  // Not 0: the inputs are prompts that continue first, by at most so many tokens. The plan's runs are as long as they
  // can become, filled up with placeholders, and all sizes are upper bounds.
  uint32_t max_new_tokens = 0;

  uint32_t tensors = 0;     // of the whole stream
  uint64_t data_bytes = 0;  // of all chunked tensors
  std::string request_sha256;
  const Tokenizer* tokenizer = nullptr;  // names the tokens of scores; outlives the call
};

// Reads, validates and plans. INVALID_ARGUMENT with every violation's field path, or
// FAILED_PRECONDITION (see core/errors.h). Thread-safe.
absl::StatusOr<ExtractCall> PlanExtract(const v1::ExtractRequest& request, std::string request_sha256,
                                        const RequestContext& context);

// Of each of a request's inputs, the tokens that were generated after it.
using Continuations = std::vector<std::vector<uint32_t>>;

// Plans the request again once its inputs' continuations are known: they are part of the inputs. What depends on
// lengths may be refused now though PlanExtract took it.
absl::StatusOr<ExtractCall> PlanContinued(const v1::ExtractRequest& request, std::string request_sha256,
                                          const Continuations& continuations, const RequestContext& context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_INPUTS_EXTRACT_CALL_H_
