#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/answer/frames.h"
#include "server/verify/call/assembler.h"
#include "server/verify/call/verify_call.h"
#include "server/verify/call/verify_messages.h"

namespace hydrophone {
namespace {

// Puts a capture's tensors, which all bear its name, one after another.
absl::StatusOr<std::vector<float>> Join(std::map<uint32_t, AssembledTensor> tensors, const std::string& name,
                                        size_t elements) {
  if (tensors.size() == 1 && tensors.begin()->second.info.name() == name) {
    return std::move(tensors.begin()->second.values);
  }
  std::vector<float> values;
  values.reserve(elements);
  for (const auto& [number, tensor] : tensors) {
    if (tensor.info.name() != name) return absl::InternalError(absl::StrCat("got ", tensor.info.name(), " for ", name));
    values.insert(values.end(), tensor.values.begin(), tensor.values.end());
  }
  return values;
}

// Encodes one capture as messages and puts the messages together again.
absl::StatusOr<std::vector<float>> SendAndReceive(const ExtractCall& call, size_t capture, TensorView rows,
                                                  uint64_t max_message_bytes) {
  const Capture& planned = call.plan.captures[capture];
  const std::string name = CanonicalName(planned.point);
  const auto expected = static_cast<size_t>(planned.Elements());
  if (rows.elements() != expected) {
    return absl::InternalError(
        absl::StrCat("captured ", name, " has ", rows.elements(), " values, expected ", expected));
  }
  CaptureFrames frames(call, capture, std::move(rows), max_message_bytes);
  CaptureAssembler assembler;
  while (std::optional<Frame> frame = frames.Next()) {
    if (absl::Status status = assembler.Add(*frame); !status.ok()) return status;
  }
  auto tensors = assembler.Finish();
  if (!tensors.ok()) return tensors.status();
  absl::StatusOr<std::vector<float>> values = Join(*std::move(tensors), name, expected);
  if (values.ok() && values->size() != expected) {
    return absl::InternalError(absl::StrCat("captured ", name, ", got something else back from its messages"));
  }
  return values;
}

}  // namespace

VerifyRun::VerifyRun(VerifyCall call, const RequestContext& context) : call_(std::move(call)), context_(context) {
  for (const PlannedInput& input : call_.inputs) inputs_.token_ids.push_back(input.token_ids);
}

absl::Status VerifyRun::Take(size_t extract, std::vector<TensorView> captures, int64_t batch_tokens) {
  const ExtractCall& call = call_.extracts[extract];
  if (captures.size() != call.plan.captures.size()) {
    return absl::InternalError(
        absl::StrCat("got ", captures.size(), " captures, expected ", call.plan.captures.size()));
  }
  CapturedRun* const runs[] = {&inputs_.states, &inputs_.blocks, &inputs_.alone, &inputs_.reference};
  for (size_t i = 0; i < captures.size(); ++i) {
    absl::StatusOr<std::vector<float>> values =
        SendAndReceive(call, i, std::move(captures[i]), context_.limits.max_message_bytes);
    if (!values.ok()) return values.status();
    runs[extract]->Put(call.plan.captures[i].point, *std::move(values));
  }
  if (extract == VerifyCall::kBlocks) inputs_.blocks_batch_tokens = batch_tokens;
  if (extract == VerifyCall::kAlone) inputs_.alone_batch_tokens = batch_tokens;
  return absl::OkStatus();
}

absl::StatusOr<v1::VerifyResponse> VerifyRun::Finish(const Engine& engine, const std::function<bool()>& stopped) {
  absl::StatusOr<VerifyReport> report = Verify(engine, inputs_, call_.options, stopped);
  if (!report.ok()) return report.status();
  v1::VerifyResponse response;
  FillProvenance(call_.request_sha256, context_, response.mutable_provenance());
  FillReport(*report, static_cast<uint32_t>(context_.model.n_embd), &response);
  for (size_t i = 0; i < call_.inputs.size(); ++i) {
    FillInputInfo(call_.inputs[i], static_cast<uint32_t>(i), context_.tokenizer, response.add_inputs());
  }
  return response;
}

}  // namespace hydrophone
