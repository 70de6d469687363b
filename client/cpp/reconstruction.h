// The lesson's equation, computed by the client from the bytes that it received: H[L+1] = (H[L] +
// attention delta) + MLP delta.
#ifndef HYDROPHONE_CLIENT_CPP_RECONSTRUCTION_H_
#define HYDROPHONE_CLIENT_CPP_RECONSTRUCTION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/cpp/client.h"
#include "hydrophone/v1/input.pb.h"

namespace hydrophone::client {

// How one layer's equation closes, in float32.
struct Reconstruction {
  uint32_t layer = 0;
  uint64_t elements = 0;
  bool bitwise = false;  // every element equal to the bit
  double max_abs = 0;    // largest magnitude of the residual
  double mean_abs = 0;   // mean magnitude, accumulated in float64
};

// REQUIRES: the four arrays have one length.
Reconstruction Reconstruct(absl::Span<const float> before, absl::Span<const float> attention,
                           absl::Span<const float> mlp, absl::Span<const float> after);

// The deltas that are added up. In eval mode both kinds are the same.
enum class Deltas : uint8_t {
  kProjected,  // the outputs of attn.c_proj and mlp.c_proj
  kDropped,    // the same after their dropouts: what the residual stream takes up in train mode
};

struct ReconstructionMode {
  Deltas deltas = Deltas::kProjected;
  std::optional<uint64_t> train_seed;  // none: eval mode
};

// Fetches the states and, in a separate Extract, the deltas, and closes the equation for each of
// `layers` (0 to N-1, N the model's number of blocks). The last block's output is taken raw. Holds
// both answers in memory.
absl::StatusOr<std::vector<Reconstruction>> ReconstructLayers(Client& client, const std::vector<v1::Input>& inputs,
                                                              const std::vector<uint32_t>& layers,
                                                              const ReconstructionMode& mode = {});

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_RECONSTRUCTION_H_
