#include "client/cpp/cli/metric_grammar.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cpp/cli/selection.h"

namespace hydrophone::client {
namespace {

constexpr char kExpected[] = "logit-diff(TOKEN,TOKEN), loss or kl, with @POSITIONS if liked";

absl::Status Wrong(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("--metric \"", text, "\": ", what));
}

absl::Status ParseLogitDiff(absl::string_view arguments, const Tokenizer& tokenizer, v1::LogitDiff* difference) {
  const auto ids = ParseTokens(arguments, tokenizer);
  if (!ids.ok()) return ids.status();
  if (ids->size() != 2) return absl::InvalidArgumentError(absl::StrCat("got ", ids->size(), " tokens, expected two"));
  difference->set_correct((*ids)[0]);
  difference->set_wrong((*ids)[1]);
  return absl::OkStatus();
}

absl::Status ParseKind(absl::string_view text, const Tokenizer& tokenizer, v1::Metric* metric) {
  if (text == "loss") {
    metric->mutable_next_token_loss();
    return absl::OkStatus();
  }
  if (text == "kl") {
    metric->mutable_divergence();
    return absl::OkStatus();
  }
  absl::string_view arguments = text;
  if (absl::ConsumePrefix(&arguments, "logit-diff(") && absl::ConsumeSuffix(&arguments, ")")) {
    return ParseLogitDiff(arguments, tokenizer, metric->mutable_logit_diff());
  }
  return absl::InvalidArgumentError(absl::StrCat("expected ", kExpected));
}

}  // namespace

absl::StatusOr<v1::Metric> ParseMetric(absl::string_view text, const Tokenizer& tokenizer) {
  v1::Metric metric;
  metric.set_key(std::string(text));
  absl::string_view kind = text;
  // A token may hold an '@': the one that counts comes after the parenthesis.
  const size_t closing = text.rfind(')');
  const size_t at = text.find('@', closing == absl::string_view::npos ? 0 : closing);
  if (at != absl::string_view::npos) {
    auto positions = ParsePositions(text.substr(at + 1));
    if (!positions.ok()) return Wrong(text, positions.status().message());
    *metric.mutable_positions() = *std::move(positions);
    kind = text.substr(0, at);
  }
  absl::Status status = ParseKind(kind, tokenizer, &metric);
  if (absl::IsInvalidArgument(status)) return Wrong(text, status.message());
  if (!status.ok()) return status;
  return metric;
}

}  // namespace hydrophone::client
