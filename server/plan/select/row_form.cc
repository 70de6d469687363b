#include "server/plan/select/row_form.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/core/hook_points.h"
#include "server/plan/select/units.h"

namespace hydrophone {
namespace {

constexpr int64_t kMetricNumbers = 1;

void AddWrongWidth(const Selector& selector, int64_t expected, Violations* violations) {
  violations->Add(absl::StrCat(selector.path, ".project.shape"),
                  absl::StrCat("got width ", selector.projection->width, ", expected ", expected, ": the ",
                               selector.info->square() ? "keys" : "last dimension", " of ", selector.info->name,
                               selector.units == nullptr ? "" : " after units"));
}

// Compares the projection's width with the features that are left; for scores and patterns with each run's keys, since
// one width cannot fit runs of different lengths.
void CheckProjection(const Selector& selector, const RowForm& form, int64_t features, absl::Span<const int64_t> lengths,
                     Violations* violations) {
  const int64_t width = selector.projection->width;
  if (!form.square && width != features) return AddWrongWidth(selector, features, violations);
  if (!form.square) return;
  for (int64_t length : lengths) {
    if (width != form.KeysOf(length)) return AddWrongWidth(selector, form.KeysOf(length), violations);
  }
}

std::vector<int64_t> ReadoutShape(const Readout& readout, const ModelInfo& model) {
  if (readout.kind == Readout::Kind::kLogits) return {model.vocab_size};
  if (readout.kind != Readout::Kind::kTokens) return {kMetricNumbers};
  return {readout.Scores(), Readout::kScoreFields};
}

int64_t CountOr(const std::vector<int32_t>& listed, int64_t all) {
  return listed.empty() ? all : static_cast<int64_t>(listed.size());
}

}  // namespace

RowForm ReadRowForm(const Selector& selector, absl::Span<const int64_t> lengths, const ModelInfo& model,
                    Violations* violations) {
  RowForm form;
  form.square = selector.info->square();
  if (selector.units != nullptr) {
    form.units =
        ReadUnits(*selector.units, absl::StrCat(selector.path, ".units"), *selector.info, lengths, model, violations);
  }
  if (selector.readout != nullptr) {
    form.row_shape = ReadoutShape(*selector.readout, model);
    return form;
  }
  int64_t features = CountOr(form.units.features, FeatureCount(*selector.info, model));
  if (form.square && !form.units.features.empty()) form.keys = features;
  if (selector.projection != nullptr) {
    CheckProjection(selector, form, features, lengths, violations);
    features = selector.projection->count;
    if (form.square) form.keys = features;
  }
  if (selector.info->has_heads()) form.row_shape.push_back(CountOr(form.units.heads, HeadCount(*selector.info, model)));
  if (!form.square) form.row_shape.push_back(features);
  return form;
}

}  // namespace hydrophone
