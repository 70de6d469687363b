#include "server/answer/values.h"

#include <string>
#include <utility>
#include <vector>

#include "server/answer/difference.h"
#include "server/answer/preview.h"
#include "server/answer/statistics.h"

namespace hydrophone {
namespace {

void FillMoments(const Moments& moments, v1::Summary* summary) {
  summary->set_mean(moments.mean);
  summary->set_std(moments.std);
  summary->set_min(moments.min);
  summary->set_max(moments.max);
  summary->set_l2(moments.l2);
  summary->set_count(moments.count);
  summary->set_nonfinite(moments.nonfinite);
}

// Where an element is, in each dimension of `shape`.
std::vector<uint32_t> PlaceOf(size_t element, absl::Span<const int64_t> shape) {
  std::vector<uint32_t> place(shape.size());
  for (size_t axis = shape.size(); axis-- > 0;) {
    const auto dimension = static_cast<size_t>(shape[axis]);
    place[axis] = static_cast<uint32_t>(element % dimension);
    element /= dimension;
  }
  return place;
}

void FillSummary(const v1::SummaryOptions* options, const TensorView& tensor, v1::Summary* summary) {
  const absl::Span<const float> floats = tensor.floats();
  FillMoments(MomentsOf(floats), summary);
  if (options == nullptr) return;
  if (options->has_threshold()) summary->set_share_above(ShareAbove(floats, options->threshold()));
  if (options->quantiles_size() > 0) {
    const std::vector<double> quantiles = QuantilesOf(floats, options->quantiles());
    summary->mutable_quantiles()->Add(quantiles.begin(), quantiles.end());
  }
  for (size_t element : LargestMagnitudes(floats, options->top_k())) {
    v1::Extreme* extreme = summary->add_top();
    extreme->set_value(floats[element]);
    const std::vector<uint32_t> place = PlaceOf(element, tensor.shape);
    extreme->mutable_index()->Add(place.begin(), place.end());
  }
}

// One token of a lens: Readout::kScoreFields numbers.
void FillToken(absl::Span<const float> fields, const Tokenizer& tokenizer, v1::Score* score) {
  const auto id = static_cast<uint32_t>(fields[0]);
  score->set_token_id(id);
  score->set_piece(std::string(PieceOf(tokenizer, id)));
  score->set_value(fields[1]);
  score->set_logprob(fields[2]);
  score->set_rank(static_cast<uint32_t>(fields[3]));
}

// The `place`'th of a row's scores: a metric's number, a token of a lens, or one of its numbers after the tokens.
void FillScore(const Readout& readout, int64_t place, absl::Span<const float> fields, const std::string& metric,
               const Tokenizer& tokenizer, v1::Score* score) {
  if (readout.kind != Readout::Kind::kTokens) {
    score->set_value(fields[0]);
    score->set_metric(metric);
  } else if (place < readout.TokenScores()) {
    FillToken(fields, tokenizer, score);
  } else {
    score->set_value(fields[1]);
    const bool entropy = readout.entropy && place == readout.TokenScores();
    score->set_metric(std::string(entropy ? kEntropyScore : kFinalDivergenceScore));
  }
}

}  // namespace

void FillView(const CaptureFormat& format, const TensorView& tensor, v1::Values* values) {
  const absl::Span<const float> floats = tensor.floats();
  if (format.view == v1::VIEW_PREVIEW) values->set_preview(PreviewOf(floats, tensor.shape));
  if (format.view == v1::VIEW_FLOATS) values->mutable_floats()->Add(floats.begin(), floats.end());
  if (format.view == v1::VIEW_SUMMARY) FillSummary(format.summary.get(), tensor, values->mutable_summary());
}

void FillScores(const ExtractCall& call, size_t capture, size_t run, int64_t first_row, absl::Span<const float> numbers,
                v1::Values* values) {
  const Capture& planned = call.plan.captures[capture];
  const bool tokens = planned.readout->kind == Readout::Kind::kTokens;
  const size_t fields = tokens ? static_cast<size_t>(Readout::kScoreFields) : 1;
  const size_t scores_per_row = static_cast<size_t>(planned.RowElements()) / fields;
  const uint32_t made_run = planned.runs[run];
  for (size_t i = 0; i * fields < numbers.size(); ++i) {
    const auto row = static_cast<int64_t>(i / scores_per_row);
    v1::Score* score = values->add_scores();
    score->set_run(call.run_numbers[made_run]);
    score->set_position(static_cast<uint32_t>(planned.Row(first_row + row) - call.plan.first_token[made_run]));
    const auto place = static_cast<int64_t>(i % scores_per_row);
    FillScore(*planned.readout, place, numbers.subspan(i * fields, fields), call.formats[capture].metric,
              *call.tokenizer, score);
  }
}

void FillComparison(absl::Span<const float> run, absl::Span<const float> baseline, v1::Comparison* comparison) {
  const Difference difference = DifferenceOf(run, baseline);
  comparison->set_difference_l2(difference.difference_l2);
  comparison->set_difference_max(difference.difference_max);
  comparison->set_run_l2(difference.run_l2);
  comparison->set_baseline_l2(difference.baseline_l2);
  comparison->set_cosine(difference.cosine);
  comparison->set_pearson_r(difference.pearson_r);
  comparison->set_count(difference.count);
  comparison->set_nonfinite(difference.nonfinite);
}

}  // namespace hydrophone
