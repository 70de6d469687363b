#include "server/plan/captures/values_size.h"

#include <algorithm>
#include <cstddef>
#include <functional>

#include "server/plan/inputs/extract_call.h"
#include "server/plan/inputs/sizes.h"

namespace hydrophone {
namespace {

// Everything of a fixed size: tags, lengths, the tensor's description, moments.
constexpr uint64_t kFixed = 512;

// A Score without its strings: tag and length (5), run and position (6 each), token and rank (4 each: a vocabulary has
// fewer than 2^21 tokens), two floats (5 each), the strings' tags and lengths (3 each).
constexpr uint64_t kScore = 5 + 6 + 6 + 4 + 4 + 5 + 5 + 3 + 3;

// An Extreme: tag and length (3), value (5), the list's tag and length (2), and 5 for each of at most 3 dimensions.
constexpr uint64_t kExtreme = 3 + 5 + 2 + 3 * 5;

// A run's number and its count of rows in the tensor's description.
constexpr uint64_t kRun = 5 + 5;

}  // namespace

uint64_t ScoresSize::LongestPieces(uint32_t count) {
  if (longest_.empty()) {
    std::vector<uint64_t> lengths(tokenizer_.vocab_size());
    for (uint32_t id = 0; id < lengths.size(); ++id) lengths[id] = tokenizer_.Piece(id).size();
    std::sort(lengths.begin(), lengths.end(), std::greater<>());
    longest_.push_back(0);
    for (uint64_t length : lengths) longest_.push_back(longest_.back() + length);
  }
  return longest_[std::min<size_t>(count, longest_.size() - 1)];
}

uint64_t ScoresSize::TokensBytes(const Readout& readout) {
  uint64_t bytes = (uint64_t{readout.top_k} + readout.token_ids.size()) * kScore;
  if (readout.top_k > 0) bytes += LongestPieces(readout.top_k);
  for (uint32_t id : readout.token_ids) bytes += PieceOf(tokenizer_, id).size();
  if (readout.entropy) bytes += kScore + kEntropyScore.size();
  if (readout.final_divergence) bytes += kScore + kFinalDivergenceScore.size();
  return bytes;
}

uint64_t ScoresSize::Bytes(const Readout& readout, uint64_t rows, absl::string_view metric) {
  const bool tokens = readout.kind == Readout::Kind::kTokens;
  return AddSizes(kFixed, MultiplySizes(rows, tokens ? TokensBytes(readout) : kScore + metric.size()));
}

uint64_t SummaryBytes(const v1::SummaryOptions& options, uint64_t elements, uint64_t runs) {
  const uint64_t quantiles = static_cast<uint64_t>(options.quantiles_size()) * sizeof(double);
  const uint64_t top = std::min<uint64_t>(options.top_k(), elements) * kExtreme;
  return kFixed + quantiles + top + runs * kRun;
}

}  // namespace hydrophone
