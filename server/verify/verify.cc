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
// The sites that the comparison with the reference needs besides, in the reported layers.
constexpr Site kReferenceSites[] = {Site::kLn1Out, Site::kResidMid, Site::kLn2Out, Site::kResidPost};
constexpr Site kReferenceEnds[] = {Site::kEmbed, Site::kPosEmbed, Site::kLnFinalOut};

bool Contains(const std::vector<int>& layers, int layer) {
  return std::find(layers.begin(), layers.end(), layer) != layers.end();
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
    return status;
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
    ReferenceComparison comparison(width_);
    size_t budget = options_.max_reference_tokens;
    size_t first_token = 0;  // of the input, in the arrays
    for (size_t input = 0; input < lengths_.size() && budget > 0; ++input) {
      const size_t count = std::min(budget, lengths_[input]);
      if (absl::Status status = CompareInput(comparison, input, first_token, count); !status.ok()) return status;
      budget -= count;
      first_token += lengths_[input];
    }
    for (Check& check : comparison.Checks()) report_.checks.push_back(std::move(check));
    return absl::OkStatus();
  }

  // Compares the input's first `count` tokens: later tokens cannot change their values.
  absl::Status CompareInput(ReferenceComparison& comparison, size_t input, size_t first_token, size_t count) const {
    auto compare = [&](HookPoint point, absl::Span<const double> reference) {
      const absl::Span<const float> captured = inputs_.blocks.Get(point);
      if (captured.empty() || !IsAsked(point)) return;
      comparison.Add(point, input, reference, captured.subspan(first_token * width_, count * width_));
    };
    return engine_.RunReference(absl::MakeConstSpan(inputs_.token_ids[input]).first(count), compare, stopped_);
  }

  bool IsAsked(HookPoint point) const { return point.layer < 0 || Contains(options_.layers, point.layer); }

  const Engine& engine_;
  const ModelInfo& model_;
  const VerifyInputs& inputs_;
  const VerifyOptions& options_;
  const std::function<bool()>& stopped_;
  const size_t width_;
  std::vector<size_t> lengths_;  // of the inputs, in tokens
  size_t tokens_ = 0;            // of all of them
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
    const bool compared = options.reference && Contains(options.layers, layer);
    if (!compared) continue;
    for (Site site : kReferenceSites) points.push_back({site, layer});
  }
  const HookPoint raw_output{Site::kResidPost, last};
  if (points.back() != raw_output) points.push_back(raw_output);
  if (!options.reference) return points;
  for (Site site : kReferenceEnds) points.push_back({site, -1});
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

absl::StatusOr<VerifyReport> Verify(const Engine& engine, const VerifyInputs& inputs, const VerifyOptions& options,
                                    const std::function<bool()>& stopped) {
  return Verification(engine, inputs, options, stopped).Run();
}

}  // namespace hydrophone
