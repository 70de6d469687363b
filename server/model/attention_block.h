// The diagonal block of causal attention: what BLAS libraries would compute a square of, with the future in it.
#ifndef HYDROPHONE_SERVER_MODEL_ATTENTION_BLOCK_H_
#define HYDROPHONE_SERVER_MODEL_ATTENTION_BLOCK_H_

#include <cstdint>

namespace hydrophone {

// Queries are taken in blocks of so many positions, counted from the start of their sequence. The products of block b with the keys
// of blocks 0 to b-1 are the BLAS's, in shapes that depend on b alone; those within the block are here. So a row's bits depend on
// the positions before it and on nothing else, and what comes after it, were it NaN, is not touched.
inline constexpr int64_t kAttentionBlock = 32;

// scores[i * stride + j] = q[i] . k[j] for j <= i < rows <= kAttentionBlock; what lies above the diagonal is left alone. q and k have
// rows of d_head elements. Each sum is taken from the first element to the last, in float32.
void DiagonalScores(const float* q, const float* k, int64_t rows, int64_t d_head, float* scores, int64_t stride);

// z[i] += sum over j <= i of pattern[i * stride + j] v[j], in the order of j; z and v have rows of d_head elements.
void DiagonalMix(const float* pattern, int64_t stride, const float* v, int64_t rows, int64_t d_head, float* z);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ATTENTION_BLOCK_H_
