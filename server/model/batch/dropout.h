// Train mode's dropout: which elements a run drops depends on the seed, the run's tokens, the place and nothing else.
#ifndef HYDROPHONE_SERVER_MODEL_BATCH_DROPOUT_H_
#define HYDROPHONE_SERVER_MODEL_BATCH_DROPOUT_H_

#include <cstdint>

#include "absl/types/span.h"

namespace hydrophone {

// The key of a run's draws: the first 64 bits of SHA-256 over the seed and the run's token ids. Runs over the same
// tokens (a clean one and an edited one) drop the same elements, so that they can be compared; runs over different
// tokens draw independently.
uint64_t DropoutKey(uint64_t seed, absl::Span<const uint32_t> token_ids);

// The probabilities with which train mode drops an element, named as config.json names them.
struct DropoutProbabilities {
  double embedding = 0;  // embd_pdrop
  double pattern = 0;    // attn_pdrop
  double residual = 0;   // resid_pdrop: of the attention and the MLP delta
};

// The four places of Hugging Face's GPT-2; the last three are in each block.
enum class DropoutPlace : uint8_t { kEmbedding, kPattern, kAttention, kMlp };

// Drops elements of one row: element i of row `row` at a place of `layer` (-1 for the embedding) is kept with
// probability 1 - p and then multiplied by float32(1 / (1 - p)), and becomes 0 otherwise. The draws are those of
// Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011) with the key, one subsequence for
// each place and layer, and the row and the element as its counter, so that a row alone gives the same bits. A row's
// number is its position; in patterns it is head * 2^20 + query. p is in [0, 1]; with 0 the row stays as it is.
void DropRow(uint64_t key, DropoutPlace place, int layer, int64_t row, double p, float* values, int64_t count);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_BATCH_DROPOUT_H_
