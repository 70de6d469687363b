// How the command line writes hook points, layers and positions.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_SELECTION_H_
#define HYDROPHONE_CLIENT_CPP_CLI_SELECTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hydrophone/v1/extract.pb.h"
#include "hydrophone/v1/input.pb.h"

namespace hydrophone::client {

// "10", "0,5,-1", "3-6" (3, 4, 5, 6), and mixtures. "" and "all": none named, which means all. `what`, here and below,
// is what messages call them.
absl::StatusOr<std::vector<int32_t>> ParseLayers(absl::string_view text, absl::string_view what = "layers");

// The same for heads or features, "0,3,-1" or "0-5", of which there must be some.
absl::StatusOr<std::vector<int32_t>> ParseIndices(absl::string_view what, absl::string_view text);

// "last", "first", "all", a list ("0,5,-1") or a slice as NumPy writes it ("-1:", "::2"), either in
// brackets if liked.
absl::StatusOr<v1::Positions> ParsePositions(absl::string_view text, absl::string_view what = "positions");

// "attn.c_proj", or with layers of its own: "hidden_states@10,11". Without those, `common_layers`
// apply, unless the name holds a layer ("blocks.10.hook_attn_out", "transformer.h.*.mlp"). INVALID_ARGUMENT without a
// name.
absl::StatusOr<v1::HookSelector> ParseHook(absl::string_view text, const std::vector<int32_t>& common_layers);

// Whether it has layers of its own, as in "hidden_states@10" or "blocks.10.hook_attn_out".
bool HasOwnLayers(absl::string_view text);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_SELECTION_H_
