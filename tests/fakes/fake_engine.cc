#include "tests/fakes/fake_engine.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace hydrophone {
namespace {

// All tokens of a plan, run after run. A capture's row indices count in this list.
std::vector<uint32_t> TokensOf(const Plan& plan) {
  std::vector<uint32_t> tokens;
  for (const PlannedRun& run : plan.runs) tokens.insert(tokens.end(), run.token_ids.begin(), run.token_ids.end());
  return tokens;
}

// A readout's first number is the likeliest token's id; the fake leaves the others 0.
float ReadoutValue(const FakeEngine& engine, uint32_t token, int64_t column) {
  return column == 0 ? static_cast<float>(engine.next_token(token)) : 0;
}

TensorView RowsOf(const FakeEngine& engine, const Capture& capture, const std::vector<uint32_t>& tokens) {
  auto values = std::make_shared<std::vector<float>>();
  for (int64_t i = 0; i < capture.row_count; ++i) {
    int64_t row = capture.contiguous ? capture.first_row + i : capture.rows[static_cast<size_t>(i)];
    for (int64_t column = 0; column < capture.RowElements(); ++column) {
      const uint32_t token = tokens[static_cast<size_t>(row)];
      values->push_back(capture.readout != nullptr ? ReadoutValue(engine, token, column)
                                                   : FakeEngine::Value(capture.point, token, column));
    }
  }
  TensorView view;
  view.shape = {capture.row_count, capture.RowElements()};
  view.data = reinterpret_cast<const std::byte*>(values->data());
  view.owner = std::move(values);
  return view;
}

}  // namespace

ModelInfo TinyModel() {
  ModelInfo model;
  model.name = "tiny";
  model.architecture = "gpt2";
  model.n_layer = 2;
  model.n_embd = 4;
  model.n_head = 2;
  model.n_inner = 16;
  model.n_positions = 16;
  model.vocab_size = 50257;
  model.eos_token_ids = {256};
  model.activation_function = "gelu_new";
  model.layer_norm_epsilon = 1e-5;
  model.weights_sha256 = std::string(64, 'a');
  model.weights_dtype = "float32";
  model.tokenizer_sha256 = std::string(64, 'b');
  return model;
}

FakeEngine::FakeEngine() {
  audit.file_sha256 = model_.weights_sha256;
  compute_info.numerics = "fake";
  compute_info.batch_independent = true;
  compute_info.libtorch_version = "none";
}

float FakeEngine::Value(HookPoint point, uint32_t token, int64_t column) {
  return static_cast<float>(static_cast<int>(point.site) * 1000 + point.layer * 100) + static_cast<float>(token) +
         static_cast<float>(column) / 8;
}

std::vector<size_t> FakeEngine::batches() const {
  MutexLock lock(&mutex_);
  return batches_;
}

absl::Status FakeEngine::Run(absl::Span<const BatchMember> batch, absl::FunctionRef<void()> between) {
  {
    MutexLock lock(&mutex_);
    batches_.push_back(batch.size());
  }
  on_run();
  on_batch(batch);
  if (!result.ok()) return result;
  size_t captures = 0;
  for (const BatchMember& member : batch) captures = std::max(captures, member.plan->captures.size());
  for (size_t index = 0; index < captures; ++index) {
    before_capture(index);
    if (index == fails_before_capture) return failure;
    between();
    for (const BatchMember& member : batch) {
      if (index + captures_held_back >= member.plan->captures.size() || member.sink->Stopped()) continue;
      member.sink->OnCapture(index, RowsOf(*this, member.plan->captures[index], TokensOf(*member.plan)));
    }
  }
  after_captures();
  return absl::OkStatus();
}

absl::StatusOr<TensorView> FakeEngine::ApplyFinalLayerNorm(const TensorView& rows) const { return rows; }

absl::Status FakeEngine::RunReference(absl::Span<const uint32_t>, const ReferenceSink&,
                                      const std::function<bool()>& stopped) const {
  return stopped() ? absl::CancelledError("stopped") : absl::OkStatus();
}

}  // namespace hydrophone
