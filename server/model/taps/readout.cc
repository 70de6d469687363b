#include "server/model/taps/readout.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "absl/types/span.h"
#include "server/core/portable_math.h"
#include "server/model/libtorch/parallel.h"

namespace hydrophone {
namespace {

constexpr int64_t kRowsAtOnce = 64;

// About how many multiply-adds take as long as one logit: its exponential, mostly.
constexpr int64_t kReadingOfALogit = 16;

// The logits of one row.
using Logits = absl::Span<const float>;

// log(sum(exp(logits))), in float64.
double LogSumExp(Logits logits) {
  double highest = -std::numeric_limits<double>::infinity();
  for (float logit : logits) highest = std::max(highest, static_cast<double>(logit));
  double sum = 0;
  for (float logit : logits) sum += PortableExp(static_cast<double>(logit) - highest);
  return highest + PortableLog(sum);
}

// Whether token `a` ranks before token `b`.
bool Before(Logits logits, uint32_t a, uint32_t b) {
  const float x = logits[a], y = logits[b];
  if (x > y || (std::isnan(y) && !std::isnan(x))) return true;
  if (x < y || (std::isnan(x) && !std::isnan(y))) return false;
  return a < b;
}

int64_t RankOf(Logits logits, uint32_t token) {
  int64_t rank = 0;
  for (uint32_t other = 0; other < logits.size(); ++other) rank += Before(logits, other, token);
  return rank;
}

std::vector<uint32_t> TopTokens(Logits logits, uint32_t count) {
  std::vector<uint32_t> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), 0u);
  const auto end = tokens.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(count, tokens.size()));
  std::partial_sort(tokens.begin(), end, tokens.end(), [&](uint32_t a, uint32_t b) { return Before(logits, a, b); });
  tokens.erase(end, tokens.end());
  return tokens;
}

// Writes one token's kScoreFields numbers; returns where the next token's go.
float* WriteToken(Logits logits, double log_sum, uint32_t token, int64_t rank, float* to) {
  *to++ = static_cast<float>(token);
  *to++ = logits[token];
  *to++ = static_cast<float>(static_cast<double>(logits[token]) - log_sum);
  *to++ = static_cast<float>(rank);
  return to;
}

// Writes a number about the whole row where a token has its logit; returns where the next score's go.
float* WriteNumber(float number, float* to) {
  for (const float field : {0.0f, number, 0.0f, 0.0f}) *to++ = field;
  return to;
}

// -sum(p log p), in nats. `log_sum`: of the logits.
float EntropyOf(Logits logits, double log_sum) {
  double entropy = 0;
  for (float logit : logits) {
    const double log_p = static_cast<double>(logit) - log_sum;
    const double p = PortableExp(log_p);
    if (p != 0) entropy -= p * log_p;
  }
  return static_cast<float>(entropy);
}

// KL(baseline || row). `sum`: the row's LogSumExp.
float DivergenceOf(Logits baseline, Logits logits, double sum) {
  const double baseline_sum = LogSumExp(baseline);
  double divergence = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const double log_p = static_cast<double>(baseline[i]) - baseline_sum;
    const double p = PortableExp(log_p);
    if (p != 0) divergence += p * (log_p - (static_cast<double>(logits[i]) - sum));  // NaN is not left out
  }
  return static_cast<float>(divergence);
}

void ReadTokens(const Readout& readout, Logits logits, Logits final_logits, float* to) {
  const double log_sum = LogSumExp(logits);
  int64_t rank = 0;
  if (readout.top_k > 0) {
    for (uint32_t token : TopTokens(logits, readout.top_k)) to = WriteToken(logits, log_sum, token, rank++, to);
  }
  for (uint32_t token : readout.token_ids) to = WriteToken(logits, log_sum, token, RankOf(logits, token), to);
  if (readout.entropy) to = WriteNumber(EntropyOf(logits, log_sum), to);
  if (readout.final_divergence) WriteNumber(DivergenceOf(final_logits, logits, log_sum), to);
}

float LossOf(Logits logits, uint32_t token) {
  return static_cast<float>(LogSumExp(logits) - static_cast<double>(logits[token]));
}

int64_t WidthOf(const Readout& readout) {
  if (readout.kind != Readout::Kind::kTokens) return 1;
  return Readout::kScoreFields * readout.Scores();
}

Logits RowOf(const at::Tensor& logits, int64_t row) {
  const auto width = static_cast<size_t>(logits.size(1));
  return {logits.const_data_ptr<float>() + static_cast<size_t>(row) * width, width};
}

void ReadRow(const Readout& readout, Logits logits, Logits baseline, uint32_t next_token, float* to) {
  switch (readout.kind) {
    case Readout::Kind::kTokens:
      return ReadTokens(readout, logits, baseline, to);
    case Readout::Kind::kLogits:
      return;
    case Readout::Kind::kLogitDiff:
      *to = logits[readout.correct] - logits[readout.wrong];
      return;
    case Readout::Kind::kNextTokenLoss:
      *to = LossOf(logits, next_token);
      return;
    case Readout::Kind::kDivergence:
      *to = DivergenceOf(baseline, logits, LogSumExp(logits));
      return;
  }
}

}  // namespace

at::Tensor ReadLogits(const Readout& readout, const ReadoutRows& rows, const LogitsOf& logits_of) {
  const int64_t n = rows.rows.size(0), width = WidthOf(readout);
  at::Tensor read = at::empty({n, width}, at::kFloat);
  float* to = read.mutable_data_ptr<float>();
  for (int64_t first = 0; first < n; first += kRowsAtOnce) {
    const int64_t count = std::min(kRowsAtOnce, n - first);
    const at::Tensor logits = logits_of(rows.rows.narrow(0, first, count)).contiguous();
    at::Tensor baseline;
    if (rows.baseline_rows.defined()) baseline = logits_of(rows.baseline_rows.narrow(0, first, count)).contiguous();
    ForEachTask(count, logits.numel() * kReadingOfALogit, [&](int64_t row) {
      const auto index = static_cast<size_t>(first + row);
      ReadRow(readout, RowOf(logits, row), baseline.defined() ? RowOf(baseline, row) : Logits(),
              rows.next_tokens.empty() ? 0 : rows.next_tokens[index], to + static_cast<int64_t>(index) * width);
    });
  }
  return read;
}

}  // namespace hydrophone
