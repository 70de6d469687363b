// GPT-2 in float64, plainly: what the fast path is compared with. It is written from the paper and Hugging Face's
// modeling_gpt2.py, uses no libtorch, and shares no code with the fast path, so that a mistake cannot be in both.
#ifndef HYDROPHONE_SERVER_MODEL_GPT2_REFERENCE_H_
#define HYDROPHONE_SERVER_MODEL_GPT2_REFERENCE_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/checkpoint/gpt2_config.h"
#include "server/checkpoint/gpt2_weights.h"
#include "server/core/engine.h"

namespace hydrophone {

// One forward pass in eval mode over one sequence. Calls `sink` with the value of every point of the catalogue that is
// not flat, at every layer, in the order of ForwardOrder, each in the point's own shape: [tokens, ...], or [H, tokens,
// tokens], where scores of later keys are -inf and their probabilities 0. In eval mode a point after a dropout has the
// value before it, and the two residuals, in exact arithmetic, are 0. The values live until the sink returns.
//
// INVALID_ARGUMENT for no tokens, more than n_positions, or an id outside the vocabulary; CANCELLED once `stopped`
// returns true: it is called at least once for every few tokens of every matrix. Thread-safe and single-threaded; holds
// about tokens (10 d + 2 f + H d + H tokens) doubles, at the end tokens V. 124M parameters and 64 tokens take a few
// seconds.
absl::Status RunGpt2Reference(const Gpt2Config& config, const Gpt2Weights& weights,
                              absl::Span<const uint32_t> token_ids, const ReferenceSink& sink,
                              const std::function<bool()>& stopped);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_GPT2_REFERENCE_H_
