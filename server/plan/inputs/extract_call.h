// An Extract request, read: what the model must do (the plan) and how the answer is sent.
#ifndef HYDROPHONE_SERVER_PLAN_INPUTS_EXTRACT_CALL_H_
#define HYDROPHONE_SERVER_PLAN_INPUTS_EXTRACT_CALL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/core/limits.h"
#include "server/core/model_info.h"
#include "server/core/plan.h"
#include "server/core/tokenizer.h"

namespace hydrophone {

// What requests are read against. Everything it refers to outlives the calls.
struct RequestContext {
  const ModelInfo& model;
  const ComputeInfo& compute;
  const Tokenizer& tokenizer;
  const Limits& limits;
  std::string server_version;
};

// An input as the server understood it: what its InputInfo says.
struct PlannedInput {
  std::string key;
  std::vector<uint32_t> token_ids;     // empty when skipped
  std::vector<uint32_t> byte_offsets;  // as long as token_ids
  uint32_t byte_end = 0;               // where the last token's bytes end
  uint32_t truncated_tokens = 0;
  std::string skipped;  // why it was skipped; empty when it was not
};

// Score.metric of the numbers that a logit lens gives of a whole distribution.
inline constexpr absl::string_view kEntropyScore = "entropy";
inline constexpr absl::string_view kFinalDivergenceScore = "final_divergence";

// How one capture is sent.
struct CaptureFormat {
  enum class Form : uint8_t {
    kPerRun,      // a tensor of each run
    kRows,        // one tensor with the rows of all runs
    kScores,      // what a readout gives for each run's rows
    kComparison,  // how the first of the capture's two runs differs from the second
  };

  Form form = Form::kPerRun;
  v1::View view = v1::VIEW_BYTES;                     // kPerRun, kRows
  v1::Dtype dtype = v1::DTYPE_FLOAT32;                // VIEW_BYTES: of the elements sent
  std::shared_ptr<const v1::SummaryOptions> summary;  // VIEW_SUMMARY; null: the moments alone
  std::string metric;                                 // kScores: the metric's key; empty for a logit lens
  uint32_t first_tensor = 0;                          // the stream's number of its first tensor

  // kRows: the tensor whose rows the capture has a piece of, when a tensor is cut by slices.
  struct Whole {
    std::vector<uint32_t> runs;          // as Capture's
    std::vector<uint32_t> rows_per_run;  // as Capture's
    int64_t rows = 0;                    // of the tensor
  };
  std::shared_ptr<const Whole> whole;  // null: the capture is the tensor
  int64_t first_row = 0;               // of the piece, in the tensor
  bool continues = false;              // another capture has the tensor's first piece

  bool one_tensor() const { return form == Form::kRows || form == Form::kComparison; }
};

// What one of the request's selectors became; several points if its name is a pattern.
struct SelectedPoints {
  std::string asked_name;   // the name or pattern as the request has it; a metric's key
  uint32_t points = 0;      // each layer of a point counts as one
  uint64_t data_bytes = 0;  // its share of ExtractCall::data_bytes
};

struct ExtractCall {
  Plan plan;
  std::vector<PlannedInput> inputs;

  // run_numbers[i]: the number that the request gives to plan.runs[i] (its place in the request's runs, or in its
  // inputs when it lists no runs), by which answers name it. The numbers differ from the places in plan.runs when
  // inputs were skipped.
  std::vector<uint32_t> run_numbers;

  std::vector<CaptureFormat> formats;    // one for each of plan.captures
  std::vector<SelectedPoints> selected;  // by Capture::selector
  v1::Layout layout = v1::LAYOUT_PER_RUN;
  bool validate_only = false;

  // When not 0, the inputs are prompts that are first continued by at most this many tokens. The plan's runs are as
  // long as they can become, filled up with placeholders, and all sizes are upper bounds.
  uint32_t max_new_tokens = 0;

  uint32_t tensors = 0;     // of the whole stream
  uint64_t data_bytes = 0;  // of all chunked tensors
  std::string request_sha256;
  const Tokenizer* tokenizer = nullptr;  // gives the text of scored tokens; outlives the call
};

// Reads, validates and plans. INVALID_ARGUMENT with every violation's field path, or
// FAILED_PRECONDITION (see core/errors.h). Thread-safe.
absl::StatusOr<ExtractCall> PlanExtract(const v1::ExtractRequest& request, std::string request_sha256,
                                        const RequestContext& context);

// Continuations[i]: the tokens that were generated after the request's input i.
using Continuations = std::vector<std::vector<uint32_t>>;

// Plans the request again once its inputs' continuations are known, as parts of the inputs. What depends on lengths may
// be refused now although PlanExtract accepted it.
absl::StatusOr<ExtractCall> PlanContinued(const v1::ExtractRequest& request, std::string request_sha256,
                                          const Continuations& continuations, const RequestContext& context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_INPUTS_EXTRACT_CALL_H_
