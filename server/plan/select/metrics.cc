#include "server/plan/select/metrics.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/plan/inputs/inputs.h"

namespace hydrophone {
namespace {

const v1::Positions* SliceOf(const char* slice) {
  auto* positions = new v1::Positions;
  positions->set_slice(slice);
  return positions;
}

// The positions of a metric that names none.
const v1::Positions* DefaultPositions(v1::Metric::KindCase kind) {
  static const v1::Positions* const last = SliceOf("-1:");
  static const v1::Positions* const all_but_the_last = SliceOf(":-1");
  return kind == v1::Metric::kNextTokenLoss ? all_but_the_last : last;
}

void CheckToken(uint32_t token, const std::string& path, const RequestContext& context, Violations* violations) {
  const auto vocabulary = static_cast<uint32_t>(context.model.vocab_size);
  if (token >= vocabulary) violations->Add(path, absl::StrCat("got ", token, ", expected an id below ", vocabulary));
}

void ReadLogitDiff(const v1::LogitDiff& diff, const std::string& path, const RequestContext& context,
                   Violations* violations, Readout* readout) {
  readout->kind = Readout::Kind::kLogitDiff;
  readout->correct = diff.correct();
  readout->wrong = diff.wrong();
  CheckToken(diff.correct(), absl::StrCat(path, ".correct"), context, violations);
  CheckToken(diff.wrong(), absl::StrCat(path, ".wrong"), context, violations);
  if (diff.correct() == diff.wrong()) {
    violations->Add(path, absl::StrCat("got token ", diff.correct(), " as both, expected two different tokens"));
  }
}

}  // namespace

Selector ReadMetric(const v1::Metric& metric, std::string path, size_t runs, const RequestContext& context,
                    Violations* violations) {
  CheckKey(metric.key(), absl::StrCat(path, ".key"), violations);
  Selector selector;
  selector.path = std::move(path);
  selector.info = &HookPointOf(LogitsPoint());
  selector.layers = {-1};
  selector.metric = metric.key();
  selector.runs = ReadRunNumbers(metric.runs(), selector.path, runs, violations);
  selector.positions = metric.has_positions() ? &metric.positions() : DefaultPositions(metric.kind_case());

  Readout readout;
  switch (metric.kind_case()) {
    case v1::Metric::kLogitDiff:
      ReadLogitDiff(metric.logit_diff(), absl::StrCat(selector.path, ".logit_diff"), context, violations, &readout);
      break;
    case v1::Metric::kNextTokenLoss:
      readout.kind = Readout::Kind::kNextTokenLoss;
      break;
    case v1::Metric::kDivergence:
      readout.kind = Readout::Kind::kDivergence;
      break;
    case v1::Metric::KIND_NOT_SET:
      violations->Add(selector.path, "got no kind, expected logit_diff, next_token_loss or divergence");
      selector.layers = {};
      break;
  }
  selector.readout = std::make_shared<const Readout>(std::move(readout));
  return selector;
}

}  // namespace hydrophone
