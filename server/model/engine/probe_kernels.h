// Whether kernels give a row the same bits whatever is computed beside it. This is found by trying, since libraries do
// not promise it.
#ifndef HYDROPHONE_SERVER_MODEL_ENGINE_PROBE_KERNELS_H_
#define HYDROPHONE_SERVER_MODEL_ENGINE_PROBE_KERNELS_H_

#include <cstdint>
#include <vector>

#include "server/checkpoint/gpt2_config.h"
#include "server/model/kernels/kernels.h"

namespace hydrophone {

// Which sizes are tried.
struct ProbeSize {
  std::vector<int64_t> rows;  // numbers of rows that are tried, each against most_rows rows
  int64_t most_rows = 0;
  int64_t columns = 0;  // the most columns of a product
};

// For libraries: the neighbours of the sizes at which they choose other kernels, up to several blocks of any blocking,
// and products of all columns, since libraries choose by all sizes.
ProbeSize ProbeSizeForLibraries();

// For CpuKernels: every number of rows that its registers hold, and more than one tile of columns. The probe then takes
// some hundredths of a second.
ProbeSize ProbeSizeForCpu();

// Runs every operation that a model of this configuration needs on random numbers: products, LayerNorms and activations
// of `size.rows` rows, at both ends of `size.most_rows`; attention in sequences of several lengths, alone, in a batch,
// and visited. Returns whether all rows have equal bits. Throws what libtorch throws.
bool KeepsBits(const Kernels& kernels, const Gpt2Config& config, const ProbeSize& size);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ENGINE_PROBE_KERNELS_H_
