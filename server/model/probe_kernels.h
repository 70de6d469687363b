// Whether kernels give a row the same bits whatever is computed beside it: found by trying, since libraries do not promise it.
#ifndef HYDROPHONE_SERVER_MODEL_PROBE_KERNELS_H_
#define HYDROPHONE_SERVER_MODEL_PROBE_KERNELS_H_

#include "server/checkpoint/gpt2_config.h"
#include "server/model/kernels.h"

namespace hydrophone {

// Runs every operation that a model of this configuration needs on random numbers: products, LayerNorms and activations of many numbers
// of rows, at several places among them; attention in sequences of several lengths, alone, in a batch, and looked at. Compares rows to
// the bit. Throws what libtorch throws.
bool KeepsBits(const Kernels& kernels, const Gpt2Config& config);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_PROBE_KERNELS_H_
