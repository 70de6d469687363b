// A model so small that tests can say every number: one token a byte, width 3, two blocks.
//
//   H[0] = token + unit
//   attn[L] = 0.5 * token + L
//   mlp[L] = 0.1 * L - 1
//   H[L+1] = (H[L] + attn[L]) + mlp[L]
#ifndef HYDROPHONE_TESTS_CLIENT_CPP_TOY_MODEL_H_
#define HYDROPHONE_TESTS_CLIENT_CPP_TOY_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "hydrophone/v1/extract.pb.h"
#include "hydrophone/v1/input.pb.h"
#include "hydrophone/v1/model.pb.h"
#include "hydrophone/v1/parameters.pb.h"

namespace hydrophone::client {

inline constexpr uint32_t kToyLayers = 2;
inline constexpr uint32_t kToyWidth = 3;

// Its answer to GetModel, with limits that nothing in a test reaches.
v1::GetModelResponse ToyModel();

// The tokens of an input: its bytes, or its ids.
std::vector<uint32_t> ToyTokens(const v1::Input& input);

// A row of "hidden_states", "attn.c_proj", "attn.resid_dropout", "mlp.c_proj", "mlp.dropout" or "hook_resid_post".
std::vector<float> ToyRow(const std::string& hook_point, int32_t layer, uint32_t token);

// The stream that answers a request: both layouts, VIEW_BYTES in chunks of at most `chunk_rows`
// rows, previews and summaries otherwise. Edits change nothing; a run with a baseline gets a comparison, and a logit
// lens and a metric get scores, all of made-up numbers.
std::vector<v1::ExtractResponse> ToyStream(const v1::ExtractRequest& request, size_t chunk_rows = 2);

// The answer to any GetParameters request: "transformer.wte.weight" [2, 3] of the numbers 0 to 5, float32, a row in
// each chunk, and "lm_head.weight", which is tied to it; with list_only, no tensors.
std::vector<v1::GetParametersResponse> ToyParameters(const v1::GetParametersRequest& request);

// A chunk with the right checksum.
v1::ExtractResponse ToyChunk(uint32_t tensor, uint64_t offset, std::string data);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_TESTS_CLIENT_CPP_TOY_MODEL_H_
