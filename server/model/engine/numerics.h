// A string of everything that the CPU's numbers depend on beside the weights, and the number of threads, on which they
// do not depend.
#ifndef HYDROPHONE_SERVER_MODEL_ENGINE_NUMERICS_H_
#define HYDROPHONE_SERVER_MODEL_ENGINE_NUMERICS_H_

#include <string>

namespace hydrophone {

// Threads for one product: the container's CPU quota (cgroup v2 or v1), at most the CPUs that this process may use, at
// least 1.
int ThreadsFromCpuQuota();

// "cpu=AVX2;libtorch=2.13.0;sums=fused/384": equal strings, with equal weights, promise equal bits. `cpu` is what
// libtorch's LayerNorm is vectorised for; `sums` says whether products are fused with their sums and how many are
// summed at a time (panel_products.h).
std::string CpuNumerics();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ENGINE_NUMERICS_H_
