// Activation functions and softmax whose every element is the same sequence of IEEE operations, wherever it stands in
// an array.
//
// libtorch's own functions run vector code on whole vectors and scalar code, which gives other bits, on the remaining
// elements; which elements remain depends on the batch and on the threads. Here the compiler may vectorise as it likes:
// there are only additions, multiplications, divisions and integer shifts, without contraction, so every width gives
// the same bits.
#ifndef HYDROPHONE_SERVER_MODEL_KERNELS_CPU_ELEMENTWISE_H_
#define HYDROPHONE_SERVER_MODEL_KERNELS_CPU_ELEMENTWISE_H_

#include <cstdint>

#include "server/core/activation.h"

namespace hydrophone {

// values[i] = activation(values[i]), within 4e-7 of the exact function, relative to the largest of 1, its argument and
// its value.
void ApplyActivation(Activation activation, float* values, int64_t count);

// One row of attention: scores[j] = exp(scale * scores[j] - max) / sum for j < count, in place. The sum is taken over
// fixed lanes from the first element on, so the bits depend on scores[0..count) alone. count >= 1.
void SoftmaxRow(float* scores, int64_t count, float scale);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_KERNELS_CPU_ELEMENTWISE_H_
