#include "server/model/batch/dropout.h"

#include <ATen/core/PhiloxRNGEngine.h>

#include <cstdlib>
#include <string>

#include "server/base/sha256.h"

namespace hydrophone {
namespace {

// Each row has 2^30 counters, of four numbers each, for its elements: no row is as long.
constexpr int kRowBits = 30;

uint64_t SubsequenceOf(DropoutPlace place, int layer) {
  return static_cast<uint64_t>(layer + 1) * 4 + static_cast<uint64_t>(place);
}

}  // namespace

uint64_t DropoutKey(uint64_t seed, absl::Span<const uint32_t> token_ids) {
  Sha256 sha256;
  sha256.Update({reinterpret_cast<const char*>(&seed), sizeof(seed)});
  sha256.Update({reinterpret_cast<const char*>(token_ids.data()), token_ids.size() * sizeof(uint32_t)});
  return std::strtoull(sha256.HexDigest().substr(0, 16).c_str(), nullptr, 16);
}

void DropRow(uint64_t key, DropoutPlace place, int layer, int64_t row, double p, float* values, int64_t count) {
  if (p <= 0) return;
  constexpr double kRange = 4294967296.0;  // a draw is one of 2^32
  const double threshold = p * kRange;
  const auto scale = static_cast<float>(1.0 / (1.0 - p));
  at::Philox4_32 philox(key, SubsequenceOf(place, layer), static_cast<uint64_t>(row) << kRowBits);
  for (int64_t i = 0; i < count; ++i) {
    const bool kept = static_cast<double>(philox()) >= threshold;
    values[i] = kept ? values[i] * scale : 0.0f;
  }
}

}  // namespace hydrophone
