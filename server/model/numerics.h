// How products are made so that a row's bits depend on nothing but the row: the BLAS mode, the probe that looks whether it holds
// on this machine, and the string that tells two servers apart.
#ifndef HYDROPHONE_SERVER_MODEL_NUMERICS_H_
#define HYDROPHONE_SERVER_MODEL_NUMERICS_H_

#include <string>
#include <utility>
#include <vector>

#include "server/checkpoint/gpt2_config.h"
#include "server/model/linear.h"

namespace hydrophone {

// Chooses MKL's conditional numerical reproducibility mode (MKL_CBWR), unless the environment names one. MKL reads it at its first
// call, so this must come before any; main calls it first.
void ConfigureNumerics();

// Threads for one product: the container's CPU quota (cgroup v2 or v1), at most the CPUs that this process may use, at least 1.
int ThreadsFromCpuQuota();

// A product's inner and outer size: x [rows, in] times weight [in, out].
using ProductShape = std::pair<int64_t, int64_t>;

struct ProbeResult {
  RowBlocking blocking = RowBlocking::kFree;
  bool batch_independent = false;
};

// Multiplies a random tile of each weight shape, and of each inner size with transposed weights, with many numbers of rows, on one
// thread and on `threads`, and compares rows to the bit. Takes the fastest blocking under which no bit differs; when every one
// fails, kFixed and batch_independent = false. A tenth of a second for GPT-2's shapes.
ProbeResult ProbeProducts(const std::vector<ProductShape>& shapes, const std::vector<int64_t>& transposed, int threads);

// The same for every product of a model with this configuration: those of its forward pass, each head's part of the output
// projection, and, transposed, the unembedding and projections of whole rows, heads and MLP features.
ProbeResult ProbeProductsOf(const Gpt2Config& config, int threads);

// "cpu=amd-AVX2;libtorch=2.13.0;cbwr=AVX2,STRICT;tile_rows=16+;tile_columns=192/64;attention=fused": equal strings, with equal weights, promise equal bits.
std::string NumericsString(const ProbeResult& probe);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_NUMERICS_H_
