// From a request's bytes to its plan, as Extract, GetParameters and Tokenize do it.
//
// An input is the bytes as a client sends them; one that begins with "#" holds, after that line, an ExtractRequest in
// protobuf's text format, which a mutation damages less. No request begins so: the guard knows no groups.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "server/plan/generation.h"
#include "server/plan/inputs/extract_call.h"
#include "server/plan/inputs/tokenize_inputs.h"
#include "server/plan/parameters_call.h"
#include "server/wire/packed_request.h"
#include "server/wire/request_guard.h"
#include "tests/fakes/fake_server.h"
#include "tests/fuzz/require.h"

namespace hydrophone {
namespace {

// Limits that a request of some kilobytes can reach.
FakeServer SmallServer() {
  FakeServer server;
  server.limits.max_request_elements = 4096;
  server.limits.max_tokens_per_request = 256;
  server.limits.max_response_bytes = 1 << 20;
  server.limits.max_tensors_per_request = 1024;
  return server;
}

// Two parameters over the same numbers.
std::vector<Parameter> TwoParameters() {
  const auto numbers = std::make_shared<const std::vector<float>>(24, 1.0F);
  const auto* const data = reinterpret_cast<const std::byte*>(numbers->data());
  return {{"transformer.wte.weight", -1, "", {Dtype::kFloat32, {6, 4}, data, numbers}},
          {"transformer.h.0.ln_1.bias", 0, "", {Dtype::kFloat32, {24}, data, numbers}}};
}

void RequireGoodPlan(const ExtractCall& call, const FakeServer& server) {
  const Plan& plan = call.plan;
  Require(plan.runs.size() == call.run_numbers.size(), "each run has a number");
  Require(plan.captures.size() == call.formats.size(), "each capture has a format");
  Require(call.data_bytes <= server.limits.max_response_bytes, "the answer is within its limit");
  for (const PlannedRun& run : plan.runs) {
    Require(run.token_ids.size() <= static_cast<size_t>(server.model.n_positions), "a run fits the context");
    for (const uint32_t id : run.token_ids) {
      Require(id < static_cast<uint32_t>(server.model.vocab_size), "a token is in the vocabulary");
    }
  }
  const int64_t rows = plan.first_token.empty() ? 0 : plan.first_token.back();
  for (const Capture& capture : plan.captures) {
    for (int64_t row = 0; row < capture.row_count; ++row) {
      Require(capture.Row(row) >= 0 && capture.Row(row) < rows, "a captured row is in the matrix");
    }
    for (const uint32_t run : capture.runs) Require(run < plan.runs.size(), "a captured run is planned");
  }
  for (const Edit& edit : plan.edits) {
    Require(edit.run < plan.runs.size(), "an edited run is planned");
    for (const int64_t position : edit.positions) {
      const size_t length = plan.runs[edit.run].token_ids.size();
      Require(position >= 0 && position < static_cast<int64_t>(length), "an edited position is in the run");
    }
  }
}

// Continues the inputs by a step whose tokens are all 7, and plans again.
void Continue(const v1::ExtractRequest& request, const ExtractCall& call, const FakeServer& server) {
  GreedyContinuation greedy(call, server.context());
  while (!greedy.done()) {
    const std::vector<float> likeliest(4 * greedy.NextStep().runs.size(), 7.0F);
    if (!greedy.Take(likeliest).ok()) return;
  }
  const absl::StatusOr<ExtractCall> continued =
      PlanContinued(request, "sha256", greedy.continuations(), server.context());
  if (continued.ok()) {
    RequireGoodPlan(*continued, server);
  } else {
    RequireGoodRefusal(continued.status());
  }
}

void Extract(absl::string_view bytes, const FakeServer& server) {
  v1::ExtractRequest request;
  if (absl::Status read = ParseRequest(bytes, server.limits, &request); !read.ok()) return RequireGoodRefusal(read);
  const absl::StatusOr<ExtractCall> call = PlanExtract(request, "sha256", server.context());
  if (!call.ok()) return RequireGoodRefusal(call.status());
  RequireGoodPlan(*call, server);
  if (call->max_new_tokens > 0) Continue(request, *call, server);
}

void Others(absl::string_view bytes, const FakeServer& server) {
  static const std::vector<Parameter> parameters = TwoParameters();
  v1::GetParametersRequest asked;
  if (ParseRequest(bytes, server.limits, &asked).ok()) {
    const auto call = PlanParameters(asked, "sha256", parameters, server.context());
    if (!call.ok()) RequireGoodRefusal(call.status());
  }
  v1::TokenizeRequest texts;
  if (ParseRequest(bytes, server.limits, &texts).ok()) {
    const auto inputs = ReadTokenizeInputs(texts, server.context());
    if (!inputs.ok()) RequireGoodRefusal(inputs.status());
  }
}

// The message that a text stands for, serialized; empty when it is none.
std::string FromText(absl::string_view text) {
  struct Silent final : google::protobuf::io::ErrorCollector {
    void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
  } silent;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&silent);
  v1::ExtractRequest request;
  return parser.ParseFromString(std::string(text), &request) ? request.SerializeAsString() : "";
}

}  // namespace
}  // namespace hydrophone

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hydrophone;
  static const FakeServer server = SmallServer();
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (absl::StartsWith(bytes, "#")) {
    Extract(FromText(bytes), server);
    return 0;
  }
  const absl::StatusOr<std::optional<std::string>> unpacked = UnpackRequest(bytes, server.limits);
  if (!unpacked.ok()) {
    RequireGoodRefusal(unpacked.status());
    return 0;
  }
  const absl::string_view message = unpacked->has_value() ? absl::string_view(**unpacked) : bytes;
  Extract(message, server);
  Others(message, server);
  return 0;
}
