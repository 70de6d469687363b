#include "client/cpp/split.h"

#include <algorithm>
#include <limits>

namespace hydrophone::client {
namespace {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();
// What a message takes besides its own fields.
constexpr uint64_t kTagAndLengthBytes = 6;

uint64_t OrUnlimited(uint64_t limit) { return limit == 0 ? kUnlimited : limit; }

uint64_t Less(uint64_t limit, uint64_t taken) {
  return limit == 0 ? 0 : std::max<uint64_t>(1, limit - std::min(limit, taken));
}

// Whether `more` fits beside `used` under `limit`, without overflow.
bool Fits(uint64_t used, uint64_t more, uint64_t limit) { return used <= limit && more <= limit - used; }

}  // namespace

RequestCapacity CapacityOf(const v1::Limits& limits, uint64_t request_bytes) {
  RequestCapacity capacity;
  capacity.inputs = limits.max_inputs_per_request();
  capacity.tokens = limits.max_tokens_per_request();
  capacity.bytes = Less(limits.max_request_bytes(), request_bytes);
  // Every message and list element takes at least a byte.
  capacity.elements = Less(limits.max_request_elements(), request_bytes);
  return capacity;
}

InputCost CostOf(const v1::Input& input, uint64_t tokens) {
  return {1, tokens, input.ByteSizeLong() + kTagAndLengthBytes, 1 + static_cast<uint64_t>(input.token_ids_size())};
}

InputCost CostOf(const v1::Run& run) {
  const uint64_t bytes = run.ByteSizeLong() + kTagAndLengthBytes;
  return {0, 0, bytes, bytes};  // every message and list element takes at least a byte
}

uint64_t MostTokens(const v1::Input& input, uint32_t context_length) {
  uint64_t most = input.text().size() + input.raw_text().size() + static_cast<uint64_t>(input.token_ids_size());
  if (input.prepend_bos()) ++most;
  return input.truncate() && context_length > 0 ? std::min<uint64_t>(most, context_length) : most;
}

std::vector<InputRange> SplitInputs(absl::Span<const InputCost> costs, const RequestCapacity& capacity) {
  const uint64_t max_inputs = OrUnlimited(capacity.inputs);
  const uint64_t max_tokens = OrUnlimited(capacity.tokens);
  const uint64_t max_bytes = OrUnlimited(capacity.bytes);
  const uint64_t max_elements = OrUnlimited(capacity.elements);
  std::vector<InputRange> ranges;
  constexpr InputCost kNothing = {.inputs = 0};
  InputCost used = kNothing;
  for (size_t i = 0; i < costs.size(); ++i) {
    const InputCost& cost = costs[i];
    const bool fits = !ranges.empty() && Fits(used.inputs, cost.inputs, max_inputs) &&
                      Fits(used.tokens, cost.tokens, max_tokens) && Fits(used.bytes, cost.bytes, max_bytes) &&
                      Fits(used.elements, cost.elements, max_elements);
    if (!fits) {
      ranges.push_back({i, 0});
      used = kNothing;
    }
    ++ranges.back().count;
    used.inputs += cost.inputs;
    used.tokens += cost.tokens;
    used.bytes += cost.bytes;
    used.elements += cost.elements;
  }
  return ranges;
}

}  // namespace hydrophone::client
