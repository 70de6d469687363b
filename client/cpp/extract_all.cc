#include "client/cpp/extract_all.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "client/cpp/errors.h"
#include "client/cpp/request_parts.h"
#include "client/cpp/split.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace hydrophone::client {
namespace {

// The bytes of the texts in one Tokenize request, so that its answer, which is several times as long, stays small.
constexpr uint64_t kTokenizeBytes = uint64_t{1} << 20;

using Inputs = google::protobuf::RepeatedPtrField<v1::Input>;

std::vector<InputCost> CostsOf(const Inputs& inputs, uint32_t context_length) {
  std::vector<InputCost> costs;
  costs.reserve(static_cast<size_t>(inputs.size()));
  for (const v1::Input& input : inputs) costs.push_back(CostOf(input, MostTokens(input, context_length)));
  return costs;
}

// Replaces the costs' bounds on tokens by the exact counts. Inputs that Tokenize refuses keep their bound, and
// Extract's error tells what is wrong with them.
absl::Status CountTokens(Client& client, const Inputs& inputs, const v1::GetModelResponse& model,
                         std::vector<InputCost>* costs) {
  RequestCapacity capacity;
  capacity.inputs = model.limits().max_inputs_per_request();
  capacity.bytes = std::min<uint64_t>(kTokenizeBytes, model.limits().max_request_bytes());
  capacity.elements = model.limits().max_request_elements();
  for (const InputRange& range : SplitInputs(*costs, capacity)) {
    v1::TokenizeRequest request;
    for (size_t i = range.first; i < range.first + range.count; ++i) {
      *request.add_inputs() = inputs[static_cast<int>(i)];
    }
    const auto response = client.Tokenize(request);
    if (absl::IsInvalidArgument(response.status())) continue;
    if (!response.ok()) return response.status();
    for (size_t i = 0; i < range.count && i < static_cast<size_t>(response->inputs_size()); ++i) {
      InputCost& cost = (*costs)[range.first + i];
      cost.tokens = std::min<uint64_t>(cost.tokens,
                                       static_cast<uint64_t>(response->inputs(static_cast<int>(i)).token_ids_size()));
    }
  }
  return absl::OkStatus();
}

uint64_t TotalTokens(const std::vector<InputCost>& costs) {
  uint64_t total = 0;
  for (const InputCost& cost : costs) total += cost.tokens;
  return total;
}

// The costs of the parts, computed from those of the inputs.
std::vector<InputCost> PartCosts(const std::vector<RequestPart>& parts, const std::vector<InputCost>& inputs,
                                 const v1::ExtractRequest& request) {
  std::vector<InputCost> costs;
  for (const RequestPart& part : parts) {
    InputCost& cost = costs.emplace_back(InputCost{.inputs = part.inputs});
    for (uint32_t i = part.first_input; i < part.first_input + part.inputs; ++i) {
      cost.bytes += inputs[i].bytes;
      cost.elements += inputs[i].elements;
    }
    for (uint32_t run = part.first_run; run < part.first_run + part.runs; ++run) {
      const uint32_t input = request.runs().empty() ? run : request.runs(static_cast<int>(run)).input();
      if (input < inputs.size()) cost.tokens += inputs[input].tokens + request.max_new_tokens();
      if (request.runs().empty()) continue;
      const InputCost own = CostOf(request.runs(static_cast<int>(run)));
      cost.bytes += own.bytes;
      cost.elements += own.elements;
    }
  }
  return costs;
}

// Numbers one part's inputs and runs as the whole request numbers them.
class PartSink : public ExtractSink {
 public:
  PartSink(const RequestPart& part, const v1::ExtractRequest& request, ExtractSink* whole)
      : part_(part), request_(request), whole_(*whole), skipped_(part.inputs, false) {}

  bool started() const { return started_; }

  absl::Status OnHeader(const v1::Header& header) override {
    started_ = true;
    return whole_.OnHeader(header);
  }
  absl::Status OnInput(v1::InputInfo input) override {
    if (input.index() < skipped_.size()) skipped_[input.index()] = !input.skipped().empty();
    input.set_index(input.index() + part_.first_input);
    input.set_skipped(ShiftedText(input.skipped(), part_.first_input, part_.first_run));
    return whole_.OnInput(std::move(input));
  }
  absl::Status OnTensor(ReceivedTensor tensor) override {
    Shift(&tensor.info);
    return whole_.OnTensor(std::move(tensor));
  }
  absl::Status OnValues(v1::Values values) override {
    Shift(values.mutable_info());
    for (v1::Score& score : *values.mutable_scores()) score.set_run(score.run() + part_.first_run);
    return whole_.OnValues(std::move(values));
  }
  absl::Status OnTrailer(const v1::Trailer& trailer) override { return whole_.OnTrailer(trailer); }

 private:
  void Shift(v1::TensorInfo* info) const {
    for (uint32_t& run : *info->mutable_runs()) run += part_.first_run;
    if (info->has_baseline()) info->set_baseline(info->baseline() + part_.first_run);
    if (info->runs_size() > 0) return;
    for (uint32_t run = part_.first_run; run < part_.first_run + part_.runs; ++run) {
      if (IsMade(run)) info->add_runs(run);
    }
  }

  // Whether the run's input was not skipped.
  bool IsMade(uint32_t run) const {
    const uint32_t input = request_.runs().empty() ? run : request_.runs(static_cast<int>(run)).input();
    return input < part_.first_input || input - part_.first_input >= skipped_.size() ||
           !skipped_[input - part_.first_input];
  }

  const RequestPart part_;
  const v1::ExtractRequest& request_;
  ExtractSink& whole_;
  std::vector<bool> skipped_;  // by input of the part
  bool started_ = false;
};

// Sends the parts, several in one request, and makes the requests smaller when the server says so.
class PartSender {
 public:
  PartSender(Client& client, const v1::ExtractRequest& request, const std::vector<RequestPart>& parts,
             ExtractSink* sink)
      : client_(client), request_(request), common_(WithoutInputsAndRuns(request)), parts_(parts), sink_(sink) {}

  const v1::ExtractRequest& common() const { return common_; }

  absl::Status Send(const std::vector<InputRange>& ranges, const InputsDone& done) {
    std::deque<InputRange> waiting(ranges.begin(), ranges.end());
    while (!waiting.empty()) {
      const InputRange range = waiting.front();
      waiting.pop_front();
      if (range.count > most_parts_) {
        Requeue(range, most_parts_, &waiting);
        continue;
      }
      const RequestPart part = Join(parts_[range.first], parts_[range.first + range.count - 1]);
      bool started = false;
      absl::Status status = SendOne(part, &started);
      if (!started && range.count > 1 && ReasonOf(status) == "TOO_LARGE") {
        most_parts_ = range.count / 2;
        Requeue(range, most_parts_, &waiting);
        continue;
      }
      if (!status.ok()) return ShiftIndices(status, part.first_input, part.first_run);
      if (done) done(part.first_input + part.inputs, static_cast<size_t>(request_.inputs_size()));
    }
    return absl::OkStatus();
  }

 private:
  static v1::ExtractRequest WithoutInputsAndRuns(const v1::ExtractRequest& request) {
    v1::ExtractRequest common = request;
    common.clear_inputs();
    common.clear_runs();
    return common;
  }

  static void Requeue(const InputRange& range, size_t first_count, std::deque<InputRange>* waiting) {
    waiting->push_front({range.first + first_count, range.count - first_count});
    waiting->push_front({range.first, first_count});
  }

  absl::Status SendOne(const RequestPart& part, bool* started) {
    PartSink part_sink(part, request_, sink_);
    absl::Status status = client_.Extract(RequestFor(part, request_, common_), &part_sink);
    *started = part_sink.started();
    return status;
  }

  Client& client_;
  const v1::ExtractRequest& request_;
  const v1::ExtractRequest common_;
  const std::vector<RequestPart>& parts_;
  ExtractSink* const sink_;
  size_t most_parts_ = SIZE_MAX;  // parts in one request, lowered by each refusal of the server
};

}  // namespace

absl::Status ExtractAll(Client& client, const v1::ExtractRequest& request, ExtractSink* sink, const InputsDone& done) {
  const auto model = client.Model();
  if (!model.ok()) return model.status();
  const v1::ExtractRequest whole = WithTextsAsInputs(request);
  const std::vector<RequestPart> parts = SmallestParts(whole);
  PartSender sender(client, whole, parts, sink);
  if (parts.size() == 1) return sender.Send({{0, 1}}, done);
  std::vector<InputCost> inputs = CostsOf(whole.inputs(), model->model().n_positions());
  std::vector<InputCost> costs = PartCosts(parts, inputs, whole);
  if (TotalTokens(costs) > model->limits().max_tokens_per_request()) {
    if (absl::Status status = CountTokens(client, whole.inputs(), *model, &inputs); !status.ok()) return status;
    costs = PartCosts(parts, inputs, whole);
  }
  return sender.Send(SplitInputs(costs, CapacityOf(model->limits(), sender.common().ByteSizeLong())), done);
}

}  // namespace hydrophone::client
