// How many requests a long list of inputs needs.
#ifndef HYDROPHONE_CLIENT_CPP_SPLIT_H_
#define HYDROPHONE_CLIENT_CPP_SPLIT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "hydrophone/v1/input.pb.h"
#include "hydrophone/v1/model.pb.h"

namespace hydrophone::client {

// What an input, or some that must stay in one request, take of a request's limits.
struct InputCost {
  uint64_t inputs = 1;
  uint64_t tokens = 0;    // of all runs over them
  uint64_t bytes = 0;     // of the request message
  uint64_t elements = 0;  // messages and list elements
};

// Costs [first, first + count).
struct InputRange {
  size_t first = 0;
  size_t count = 0;

  friend bool operator==(const InputRange&, const InputRange&) = default;
};

// The most that one request may take. 0 in any of them: no limit.
struct RequestCapacity {
  uint64_t inputs = 0;
  uint64_t tokens = 0;
  uint64_t bytes = 0;
  uint64_t elements = 0;
};

// The server's limits, less what `request_bytes` of a request without its inputs takes.
RequestCapacity CapacityOf(const v1::Limits& limits, uint64_t request_bytes);

// The cost of an input that has this many tokens, and of a run besides its tokens.
InputCost CostOf(const v1::Input& input, uint64_t tokens);
InputCost CostOf(const v1::Run& run);

// A number that the input's tokens do not exceed, known without a tokenizer: byte-level BPE makes
// at most one token a byte.
uint64_t MostTokens(const v1::Input& input, uint32_t context_length);

// In order, as few ranges as filling one after the other gives. What alone exceeds a limit gets a range of its own: the
// server's refusal says more than this could.
std::vector<InputRange> SplitInputs(absl::Span<const InputCost> costs, const RequestCapacity& capacity);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_SPLIT_H_
