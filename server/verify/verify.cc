#include "server/verify/verify.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/verify/bits.h"
#include "server/verify/checks.h"
#include "server/verify/final_state.h"
#include "server/verify/layer_report.h"
#include "server/verify/reference_check.h"

namespace hydrophone {
namespace {

// The sites that the reports need in every block.
constexpr Site kBlockSites[] = {Site::kResidPre, Site::kAttnOut, Site::kMlpOut};
// The sites that they need in train mode besides: what the dropouts leave of the deltas.
constexpr Site kDroppedSites[] = {Site::kAttnDropped, Site::kMlpDropped};

template <typename T>
bool Contains(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Every point that is compared with the reference.
std::vector<HookPoint> ComparedPoints(const ModelInfo& model, const VerifyOptions& options) {
  std::vector<HookPoint> points;
  for (const HookPointInfo& info : HookPoints()) {
    if (info.flat) continue;
    if (info.layers == LayerKind::kNone) points.push_back(info.At(-1));
    for (int layer = 0; layer < LayerCount(info, model); ++layer) {
      if (layer == model.n_layer || Contains(options.layers, layer)) points.push_back(info.At(layer));
    }
  }
  return points;
}

// Measures for one Verify and gathers the report.
class Verification {
 public:
  Verification(const Engine& engine, const VerifyInputs& inputs, const VerifyOptions& options,
               const std::function<bool()>& stopped)
      : engine_(engine),
        model_(engine.model()),
        inputs_(inputs),
        options_(options),
        stopped_(stopped),
        width_(static_cast<size_t>(model_.n_embd)) {
    for (const auto& ids : inputs.token_ids) lengths_.push_back(ids.size());
    tokens_ = std::accumulate(lengths_.begin(), lengths_.end(), size_t{0});
    reference_lengths_ = ReferenceLengths(lengths_, options.max_reference_tokens);
  }

  absl::StatusOr<VerifyReport> Run() {
    if (absl::Status status = CheckArrays(); !status.ok()) return status;
    report_.checks.push_back(InferenceModeCheck(engine_.compute()));
    for (auto step : {&Verification::MeasureLayers, &Verification::MeasureFinalState, &Verification::CompareAlone,
                      &Verification::AuditWeights, &Verification::CompareReference}) {
      if (stopped_()) return absl::CancelledError("Verify was stopped");
      if (absl::Status status = (this->*step)(); !status.ok()) return status;
    }
    report_.passed =
        std::all_of(report_.checks.begin(), report_.checks.end(), [](const Check& check) { return check.passed; });
    return std::move(report_);
  }

 private:
  absl::Status CheckArrays() const {
    absl::Status status = CheckRun(inputs_.states, StatePoints(model_), tokens_);
    status.Update(CheckRun(inputs_.blocks, BlockPoints(model_, options_), tokens_));
    status.Update(CheckRun(inputs_.alone, AlonePoints(model_), lengths_.empty() ? 0 : lengths_[0]));
    if (options_.reference) status.Update(CheckReferenceRun());
    return status;
  }

  absl::Status CheckReferenceRun() const {
    for (HookPoint point : ReferencePoints(model_, options_)) {
      const size_t expected = ElementsBefore(point, reference_lengths_, reference_lengths_.size());
      const size_t got = inputs_.reference.Get(point).size();
      if (got != expected) {
        return absl::InternalError(
            absl::StrCat("captured ", CanonicalName(point), " has ", got, " values, expected ", expected));
      }
    }
    return absl::OkStatus();
  }

  // Where an input's value begins in the array of a point that holds inputs of these lengths.
  size_t ElementsBefore(HookPoint point, const std::vector<size_t>& lengths, size_t input) const {
    size_t elements = 0;
    for (size_t i = 0; i < input; ++i) elements += PointElements(point, model_, lengths[i]);
    return elements;
  }

  absl::Status CheckRun(const CapturedRun& run, const std::vector<HookPoint>& points, size_t tokens) const {
    for (HookPoint point : points) {
      if (run.Get(point).size() == tokens * width_ && tokens > 0) continue;
      return absl::InternalError(absl::StrCat("captured ", CanonicalName(point), " has ", run.Get(point).size(),
                                              " values, expected ", tokens * width_));
    }
    return absl::OkStatus();
  }

  absl::Span<const float> State(int layer) const { return inputs_.states.Get({Site::kHiddenState, layer}); }
  absl::Span<const float> Block(Site site, int layer) const { return inputs_.blocks.Get({site, layer}); }
  absl::Span<const float> RawOutput() const { return Block(Site::kResidPost, model_.n_layer - 1); }

  // The states come from one pass, the deltas from another. hidden_states[N] is after ln_f, so the
  // last block's raw output stands in.
  LayerArrays ArraysWith(Site attn, Site mlp, int layer) const {
    return {State(layer), Block(attn, layer), Block(mlp, layer),
            layer + 1 < model_.n_layer ? State(layer + 1) : RawOutput()};
  }
  // The arrays with the deltas that are added to the residual stream: in train mode, the deltas after the dropouts.
  LayerArrays ArraysOf(int layer) const {
    return options_.train ? ArraysWith(Site::kAttnDropped, Site::kMlpDropped, layer)
                          : ArraysWith(Site::kAttnOut, Site::kMlpOut, layer);
  }
  LayerArrays ArraysBeforeDropout(int layer) const { return ArraysWith(Site::kAttnOut, Site::kMlpOut, layer); }

  absl::Status MeasureLayers() {
    std::vector<double> bounds;
    size_t undropped_matches = 0;
    for (int layer : options_.layers) {
      if (stopped_()) return absl::CancelledError("Verify was stopped");
      report_.layers.push_back(
          MakeLayerReport(layer, ArraysOf(layer), width_, lengths_, options_.mask, options_.keep_residuals));
      bounds.push_back(IncrementBound(ArraysOf(layer)));
      if (options_.train) undropped_matches += tokens_ * width_ - ReconstructionMismatches(ArraysBeforeDropout(layer));
    }
    report_.checks.push_back(ReconstructionCheck(report_.layers));
    report_.checks.push_back(IncrementCheck(report_.layers, bounds));
    if (options_.train) {
      report_.checks.push_back(DropoutCheck(undropped_matches, options_.layers.size() * tokens_ * width_));
    }
    return absl::OkStatus();
  }

  absl::Status MeasureFinalState() {
    FinalStateArrays arrays;
    for (int layer = 0; layer <= model_.n_layer; ++layer) arrays.states.push_back(State(layer));
    for (int layer = 0; layer < model_.n_layer; ++layer) arrays.block_inputs.push_back(Block(Site::kResidPre, layer));
    arrays.raw = RawOutput();

    TensorView raw;  // borrowed: inputs_ outlives the call
    raw.shape = {static_cast<int64_t>(tokens_), model_.n_embd};
    raw.data = reinterpret_cast<const std::byte*>(arrays.raw.data());
    absl::StatusOr<TensorView> normalised = engine_.ApplyFinalLayerNorm(raw);
    if (!normalised.ok()) return normalised.status();
    arrays.ln_f_of_raw = normalised->floats();
    if (arrays.ln_f_of_raw.size() != arrays.raw.size()) return absl::InternalError("ln_f changed the shape");

    report_.final_state = MakeFinalStateReport(arrays, width_, options_.keep_residuals);
    for (Check& check : FinalStateChecks(arrays, report_.final_state)) report_.checks.push_back(std::move(check));
    return absl::OkStatus();
  }

  absl::Status CompareAlone() {
    size_t different = 0, compared = 0;
    for (HookPoint point : AlonePoints(model_)) {
      const CapturedRun& shared = point.site == Site::kHiddenState ? inputs_.states : inputs_.blocks;
      const absl::Span<const float> alone = inputs_.alone.Get(point);
      different += CountDifferentBits(alone, shared.Get(point).first(alone.size()));
      compared += alone.size();
    }
    report_.checks.push_back(
        MakeCheck("alone.vs.batch", "elements with other bits", static_cast<double>(different), 0,
                  absl::StrCat("elements of the first input's states and deltas, of ", compared,
                               ", whose bits depend on who is computed beside it: it was run in a batch of ",
                               inputs_.alone_batch_tokens, " tokens, ", lengths_[0], " of them its own, and in one of ",
                               inputs_.blocks_batch_tokens, "; none, as the numerics mode promises")));
    return absl::OkStatus();
  }

  absl::Status AuditWeights() {
    absl::StatusOr<WeightsAudit> audit = engine_.AuditWeights();
    if (!audit.ok()) return audit.status();
    report_.checks.push_back(WeightsCheck(*audit, model_));
    return absl::OkStatus();
  }

  absl::Status CompareReference() {
    if (!options_.reference) return absl::OkStatus();
    const std::vector<HookPoint> points = ComparedPoints(model_, options_);
    ReferenceComparison comparison;
    for (size_t input = 0; input < reference_lengths_.size(); ++input) {
      if (absl::Status status = CompareInput(points, input, comparison); !status.ok()) return status;
    }
    for (Check& check : comparison.Checks()) report_.checks.push_back(std::move(check));
    return absl::OkStatus();
  }

  // Compares the beginning of an input: later tokens cannot change its values.
  absl::Status CompareInput(const std::vector<HookPoint>& points, size_t input, ReferenceComparison& comparison) const {
    const size_t tokens = reference_lengths_[input];
    std::vector<HookPoint> missing = points;
    absl::Status wrong_size;
    auto compare = [&](HookPoint point, absl::Span<const double> reference) {
      const auto expected = std::find(missing.begin(), missing.end(), point);
      if (expected == missing.end()) return;
      missing.erase(expected);
      const absl::Span<const float> captured = Captured(point, input);
      if (captured.size() == reference.size()) return comparison.Add(point, input, tokens, reference, captured);
      wrong_size.Update(absl::InternalError(absl::StrCat("the reference has ", reference.size(), " values at ",
                                                         CanonicalName(point), ", captured are ", captured.size())));
    };
    absl::Status ran =
        engine_.RunReference(absl::MakeConstSpan(inputs_.token_ids[input]).first(tokens), compare, stopped_);
    ran.Update(wrong_size);
    if (!ran.ok() || missing.empty()) return ran;
    return absl::InternalError(absl::StrCat("the reference has no value at ", CanonicalName(missing.front())));
  }

  // The values at the first reference_lengths_[input] tokens of an input, from the pass that captured the point.
  absl::Span<const float> Captured(HookPoint point, size_t input) const {
    const size_t elements = PointElements(point, model_, reference_lengths_[input]);
    absl::Span<const float> all = (point.site == Site::kHiddenState ? inputs_.states : inputs_.blocks).Get(point);
    if (!all.empty()) return all.subspan(ElementsBefore(point, lengths_, input), elements);
    return inputs_.reference.Get(point).subspan(ElementsBefore(point, reference_lengths_, input), elements);
  }

  const Engine& engine_;
  const ModelInfo& model_;
  const VerifyInputs& inputs_;
  const VerifyOptions& options_;
  const std::function<bool()>& stopped_;
  const size_t width_;
  std::vector<size_t> lengths_;  // of the inputs, in tokens
  size_t tokens_ = 0;            // of all of them
  std::vector<size_t> reference_lengths_;
  VerifyReport report_;
};

}  // namespace

std::vector<HookPoint> StatePoints(const ModelInfo& model) {
  std::vector<HookPoint> points;
  for (int layer = 0; layer <= model.n_layer; ++layer) points.push_back({Site::kHiddenState, layer});
  return points;
}

std::vector<HookPoint> BlockPoints(const ModelInfo& model, const VerifyOptions& options) {
  const int last = model.n_layer - 1;
  std::vector<HookPoint> points;
  for (int layer = 0; layer <= last; ++layer) {
    for (Site site : kBlockSites) points.push_back({site, layer});
    for (Site site : kDroppedSites) {
      if (options.train && Contains(options.layers, layer)) points.push_back({site, layer});
    }
  }
  points.push_back({Site::kResidPost, last});
  return points;
}

std::vector<HookPoint> AlonePoints(const ModelInfo& model) {
  std::vector<HookPoint> points = StatePoints(model);
  for (int layer = 0; layer < model.n_layer; ++layer) {
    points.push_back({Site::kAttnOut, layer});
    points.push_back({Site::kMlpOut, layer});
  }
  return points;
}

std::vector<HookPoint> ReferencePoints(const ModelInfo& model, const VerifyOptions& options) {
  std::vector<HookPoint> points = ComparedPoints(model, options), captured = BlockPoints(model, options);
  points.erase(
      std::remove_if(points.begin(), points.end(),
                     [&](HookPoint point) { return point.site == Site::kHiddenState || Contains(captured, point); }),
      points.end());
  return points;
}

std::vector<size_t> ReferenceLengths(absl::Span<const size_t> lengths, size_t most) {
  std::vector<size_t> taken;
  for (size_t length : lengths) {
    const size_t count = std::min(most, length);
    if (count == 0) break;
    taken.push_back(count);
    most -= count;
  }
  return taken;
}

uint64_t PointElements(HookPoint point, const ModelInfo& model, uint64_t tokens) {
  const HookPointInfo& info = HookPointOf(point);
  if (info.square()) return static_cast<uint64_t>(model.n_head) * tokens * tokens;
  return static_cast<uint64_t>(RowWidth(info, model)) * tokens;
}

absl::StatusOr<VerifyReport> Verify(const Engine& engine, const VerifyInputs& inputs, const VerifyOptions& options,
                                    const std::function<bool()>& stopped) {
  return Verification(engine, inputs, options, stopped).Run();
}

}  // namespace hydrophone
