#include "client/cpp/cli/display/value_tables.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace hydrophone::client {
namespace {

std::string Fixed(double value) { return absl::StrFormat("%.6f", value); }

// The columns that summaries have beside their moments, as the request's first summary options say.
std::vector<std::string> SummaryColumns(const v1::ExtractRequest& request) {
  std::vector<std::string> columns = {"shape", "mean", "std", "min", "max", "l2", "nonfinite"};
  const auto& hooks = request.hooks();
  const auto found =
      std::find_if(hooks.begin(), hooks.end(), [](const v1::HookSelector& h) { return h.has_summary(); });
  if (found == hooks.end()) return columns;
  if (found->summary().has_threshold()) columns.push_back(absl::StrCat("|x| > ", Short(found->summary().threshold())));
  for (const float quantile : found->summary().quantiles()) columns.push_back(absl::StrCat("q ", Short(quantile)));
  return columns;
}

}  // namespace

std::string ShapeText(const v1::TensorInfo& info) { return absl::StrCat("[", absl::StrJoin(info.shape(), ", "), "]"); }

ValueTables::ValueTables(const v1::ExtractRequest& request, const RunNames& names)
    : names_(names),
      tokens_(request),
      first_metric_(static_cast<uint32_t>(request.hook_points_size() + request.hooks_size())),
      tensors_(RowsOf("point", {"shape", "type", "bytes"})),
      summaries_(RowsOf("point", SummaryColumns(request))),
      extremes_(RowsOf("largest magnitudes", {"value", "at"})),
      comparisons_(RowsOf("point", {"difference", "largest", "norm", "baseline", "cosine", "pearson r", "nonfinite"})),
      lens_(request, names, tokens_),
      lens_numbers_(RowsOf("point", {"position", "token", "entropy", "KL(final || lens)"})),
      metrics_(RowsOf("metric", {"position", "token", "value"})) {}

ValueTables::Rows ValueTables::RowsOf(const char* first, const std::vector<std::string>& rest) const {
  std::vector<std::string> columns = names_.Columns();
  columns.insert(columns.begin(), first);
  columns.insert(columns.end(), rest.begin(), rest.end());
  return {Table(std::move(columns))};
}

std::vector<std::string> ValueTables::RowOf(const v1::TensorInfo& info) const {
  std::vector<std::string> row = {info.name()};
  names_.AddCells(info, &row);
  return row;
}

bool ValueTables::Add(const v1::Values& values) {
  if (values.has_comparison()) AddComparison(values);
  if (values.has_summary()) AddSummary(values);
  for (const v1::Score& score : values.scores()) {
    if (values.info().selector() >= first_metric_) {
      AddMetric(score);
    } else if (score.metric().empty()) {
      lens_.Add(values.info(), score);
    }
  }
  if (values.info().selector() < first_metric_) AddLensNumbers(values);
  return values.has_comparison() || values.has_summary() || values.scores_size() > 0;
}

void ValueTables::Add(const ReceivedTensor& tensor) {
  std::vector<std::string> row = RowOf(tensor.info);
  const char* type = tensor.info.dtype() == v1::DTYPE_FLOAT16    ? "float16"
                     : tensor.info.dtype() == v1::DTYPE_BFLOAT16 ? "bfloat16"
                                                                 : "float32";
  for (std::string cell : {ShapeText(tensor.info), std::string(type), absl::StrCat(tensor.bytes.size())}) {
    row.push_back(std::move(cell));
  }
  tensors_.Add(std::move(row));
}

void ValueTables::AddSummary(const v1::Values& values) {
  const v1::Summary& summary = values.summary();
  std::vector<std::string> row = RowOf(values.info());
  row.push_back(ShapeText(values.info()));
  for (const double moment : {summary.mean(), summary.std(), summary.min(), summary.max(), summary.l2()}) {
    row.push_back(Short(moment));
  }
  row.push_back(absl::StrCat(summary.nonfinite()));
  if (summary.has_share_above()) row.push_back(Short(summary.share_above()));
  for (const double quantile : summary.quantiles()) row.push_back(Short(quantile));
  summaries_.Add(std::move(row));
  for (const v1::Extreme& extreme : summary.top()) {
    std::vector<std::string> place = RowOf(values.info());
    place.push_back(Short(extreme.value()));
    place.push_back(absl::StrCat("[", absl::StrJoin(extreme.index(), ", "), "]"));
    extremes_.Add(std::move(place));
  }
}

void ValueTables::AddComparison(const v1::Values& values) {
  const v1::Comparison& comparison = values.comparison();
  std::vector<std::string> row = RowOf(values.info());
  for (const double norm :
       {comparison.difference_l2(), comparison.difference_max(), comparison.run_l2(), comparison.baseline_l2()}) {
    row.push_back(Short(norm));
  }
  row.push_back(Fixed(comparison.cosine()));
  row.push_back(Fixed(comparison.pearson_r()));
  row.push_back(absl::StrCat(comparison.nonfinite()));
  comparisons_.Add(std::move(row));
}

void ValueTables::AddMetric(const v1::Score& score) {
  std::vector<std::string> row = {score.metric()};
  names_.AddCells(score.run(), &row);
  row.push_back(absl::StrCat(score.position()));
  row.push_back(tokens_.At(score.run(), score.position()));
  row.push_back(Short(score.value()));
  metrics_.Add(std::move(row));
}

void ValueTables::AddLensNumbers(const v1::Values& values) {
  std::vector<std::string> row;
  std::string place;
  std::string entropy;
  std::string divergence;
  const auto flush = [&] {
    if (entropy.empty() && divergence.empty()) return;
    row.push_back(std::exchange(entropy, ""));
    row.push_back(std::exchange(divergence, ""));
    lens_numbers_.Add(std::move(row));
  };
  for (const v1::Score& score : values.scores()) {
    if (score.metric().empty()) continue;
    if (std::string at = absl::StrCat(score.position()); at != place) {
      flush();
      place = std::move(at);
      row = {values.info().name()};
      names_.AddCells(score.run(), &row);
      row.push_back(place);
      row.push_back(tokens_.At(score.run(), score.position()));
    }
    (score.metric() == "entropy" ? entropy : divergence) = Short(score.value());
  }
  flush();
}

void ValueTables::Print(const Style& style, std::ostream& out) const {
  const auto print = [&](const Rows& rows) {
    if (!rows.any) return;
    out << "\n";
    rows.table.Print(style, out);
  };
  for (const Rows* rows : {&tensors_, &summaries_, &extremes_, &comparisons_}) print(*rows);
  lens_.Print(style, out);
  print(lens_numbers_);
  print(metrics_);
}

}  // namespace hydrophone::client
