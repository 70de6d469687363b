// Splits a long list of inputs into as many requests as the server's limits ask for.
#ifndef HYDROPHONE_CLIENT_CPP_SPLIT_H_
#define HYDROPHONE_CLIENT_CPP_SPLIT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "hydrophone/v1/input.pb.h"
#include "hydrophone/v1/model.pb.h"

namespace hydrophone::client {

// What an input, or inputs that must stay in one request, cost of a request's limits.
struct InputCost {
  uint64_t inputs = 1;
  uint64_t tokens = 0;    // of all runs over the inputs
  uint64_t bytes = 0;     // of the request message
  uint64_t elements = 0;  // messages and list elements
};

// Costs [first, first + count).
struct InputRange {
  size_t first = 0;
  size_t count = 0;

  friend bool operator==(const InputRange&, const InputRange&) = default;
};

// The most that one request may cost. 0: no limit.
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

// An upper bound on the input's tokens that needs no tokenizer: byte-level BPE makes at most one token of each byte.
uint64_t MostTokens(const v1::Input& input, uint32_t context_length);

// The ranges in order, each filled before the next one begins. A cost that alone exceeds a limit gets a range of its
// own, because the server's refusal tells more than an error of the client could.
std::vector<InputRange> SplitInputs(absl::Span<const InputCost> costs, const RequestCapacity& capacity);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_SPLIT_H_
