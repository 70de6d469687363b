#include "client/cpp/extract_all.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "client/cpp/errors.h"
#include "client/cpp/split.h"

namespace hydrophone::client {
namespace {

// Of the texts in one Tokenize request, so that its answer, several times as long, stays small.
constexpr uint64_t kTokenizeBytes = uint64_t{1} << 20;

bool BelongsTogether(const v1::ExtractRequest& request) {
  const auto names_runs = [](const v1::HookSelector& hook) {
    return hook.runs_size() > 0 || hook.positions().per_input_size() > 0;
  };
  return request.runs_size() > 0 || request.metrics_size() > 0 ||
         std::any_of(request.hooks().begin(), request.hooks().end(), names_runs);
}

std::vector<v1::Input> AllInputs(const v1::ExtractRequest& request) {
  std::vector<v1::Input> inputs;
  inputs.reserve(static_cast<size_t>(request.texts_size() + request.inputs_size()));
  for (const std::string& text : request.texts()) inputs.emplace_back().set_text(text);
  inputs.insert(inputs.end(), request.inputs().begin(), request.inputs().end());
  return inputs;
}

std::vector<InputCost> CostsOf(const std::vector<v1::Input>& inputs, uint32_t context_length) {
  std::vector<InputCost> costs;
  costs.reserve(inputs.size());
  for (const v1::Input& input : inputs)
    costs.push_back(CostOf(input, MostTokens(input, context_length)));
  return costs;
}

// Replaces the costs' bounds on tokens by the exact counts. Inputs that Tokenize refuses keep their
// bound: what is wrong with them is for Extract to say.
absl::Status CountTokens(Client& client, const std::vector<v1::Input>& inputs,
                         const v1::GetModelResponse& model, std::vector<InputCost>* costs) {
  RequestCapacity capacity;
  capacity.inputs = model.limits().max_inputs_per_request();
  capacity.bytes = std::min<uint64_t>(kTokenizeBytes, model.limits().max_request_bytes());
  capacity.elements = model.limits().max_request_elements();
  for (const InputRange& range : SplitInputs(*costs, capacity)) {
    v1::TokenizeRequest request;
    for (size_t i = range.first; i < range.first + range.count; ++i)
      *request.add_inputs() = inputs[i];
    const auto response = client.Tokenize(request);
    if (absl::IsInvalidArgument(response.status())) continue;
    if (!response.ok()) return response.status();
    for (size_t i = 0; i < range.count && i < static_cast<size_t>(response->inputs_size()); ++i) {
      InputCost& cost = (*costs)[range.first + i];
      cost.tokens = std::min<uint64_t>(
          cost.tokens,
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

// Puts one part's indices into terms of the whole.
class PartSink : public ExtractSink {
 public:
  PartSink(uint32_t first_input, uint32_t first_run, ExtractSink* whole)
      : first_input_(first_input), first_run_(first_run), whole_(*whole) {}

  bool started() const { return started_; }
  uint32_t runs() const { return runs_; }

  absl::Status OnHeader(const v1::Header& header) override {
    started_ = true;
    runs_ = header.runs();
    return whole_.OnHeader(header);
  }
  absl::Status OnInput(v1::InputInfo input) override {
    input.set_index(input.index() + first_input_);
    return whole_.OnInput(std::move(input));
  }
  absl::Status OnTensor(ReceivedTensor tensor) override {
    Shift(&tensor.info);
    return whole_.OnTensor(std::move(tensor));
  }
  absl::Status OnValues(v1::Values values) override {
    Shift(values.mutable_info());
    return whole_.OnValues(std::move(values));
  }
  absl::Status OnTrailer(const v1::Trailer& trailer) override { return whole_.OnTrailer(trailer); }

 private:
  void Shift(v1::TensorInfo* info) const {
    for (uint32_t& run : *info->mutable_runs()) run += first_run_;
    if (info->runs_size() > 0) return;
    for (uint32_t run = 0; run < runs_; ++run) info->add_runs(first_run_ + run);
  }

  const uint32_t first_input_;
  const uint32_t first_run_;
  ExtractSink& whole_;
  bool started_ = false;
  uint32_t runs_ = 0;
};

// Sends the parts one after the other, and makes them smaller when the server says so.
class PartSender {
 public:
  PartSender(Client& client, const v1::ExtractRequest& common, const std::vector<v1::Input>& inputs,
             ExtractSink* sink)
      : client_(client), common_(common), inputs_(inputs), sink_(sink) {}

  absl::Status Send(const std::vector<InputRange>& ranges, const InputsDone& done) {
    std::deque<InputRange> waiting(ranges.begin(), ranges.end());
    while (!waiting.empty()) {
      const InputRange range = waiting.front();
      waiting.pop_front();
      if (range.count > most_inputs_) {
        Requeue(range, most_inputs_, &waiting);
        continue;
      }
      bool started = false;
      absl::Status status = SendOne(range, &started);
      if (!started && range.count > 1 && ReasonOf(status) == "TOO_LARGE") {
        most_inputs_ = range.count / 2;
        Requeue(range, most_inputs_, &waiting);
        continue;
      }
      if (!status.ok()) return ShiftInputIndices(status, static_cast<uint32_t>(range.first));
      if (done) done(range.first + range.count, inputs_.size());
    }
    return absl::OkStatus();
  }

 private:
  static void Requeue(const InputRange& range, size_t first_count,
                      std::deque<InputRange>* waiting) {
    waiting->push_front({range.first + first_count, range.count - first_count});
    waiting->push_front({range.first, first_count});
  }

  absl::Status SendOne(const InputRange& range, bool* started) {
    v1::ExtractRequest part = common_;
    for (size_t i = range.first; i < range.first + range.count; ++i)
      *part.add_inputs() = inputs_[i];
    PartSink part_sink(static_cast<uint32_t>(range.first), runs_, sink_);
    absl::Status status = client_.Extract(part, &part_sink);
    *started = part_sink.started();
    runs_ += part_sink.runs();
    return status;
  }

  Client& client_;
  const v1::ExtractRequest& common_;
  const std::vector<v1::Input>& inputs_;
  ExtractSink* const sink_;
  size_t most_inputs_ = SIZE_MAX;  // in one request, as far as the server's refusals have taught
  uint32_t runs_ = 0;              // of the parts answered
};

}  // namespace

absl::Status ExtractAll(Client& client, const v1::ExtractRequest& request, ExtractSink* sink,
                        const InputsDone& done) {
  if (BelongsTogether(request)) return client.Extract(request, sink);
  const auto model = client.Model();
  if (!model.ok()) return model.status();
  const std::vector<v1::Input> inputs = AllInputs(request);
  v1::ExtractRequest common = request;
  common.clear_texts();
  common.clear_inputs();
  if (inputs.empty()) return client.Extract(common, sink);
  std::vector<InputCost> costs = CostsOf(inputs, model->model().n_positions());
  if (TotalTokens(costs) > model->limits().max_tokens_per_request()) {
    if (absl::Status status = CountTokens(client, inputs, *model, &costs); !status.ok())
      return status;
  }
  const auto ranges = SplitInputs(costs, CapacityOf(model->limits(), common.ByteSizeLong()));
  return PartSender(client, common, inputs, sink).Send(ranges, done);
}

}  // namespace hydrophone::client
