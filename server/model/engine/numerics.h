// A string of everything that the CPU's numbers depend on beside the weights, and the number of threads, on which they
// do not depend.
#ifndef HYDROPHONE_SERVER_MODEL_ENGINE_NUMERICS_H_
#define HYDROPHONE_SERVER_MODEL_ENGINE_NUMERICS_H_

#include <optional>
#include <string>

namespace hydrophone {

// Where Linux shows the limits of the control group that the process is in.
inline constexpr char kCgroupRoot[] = "/sys/fs/cgroup";

// How many CPUs' worth of time the control group grants, by its files (cgroup v2, else v1) under `cgroup_root`; nullopt
// when it sets no limit.
std::optional<double> CpuQuota(const std::string& cgroup_root);

// Threads for one product: the CPU quota rounded up, at most the CPUs that this process may use, at least 1.
int ThreadsFromCpuQuota(const std::string& cgroup_root = kCgroupRoot);

// "cpu=AVX2;libtorch=2.13.0;sums=fused/384": equal strings, with equal weights, promise equal bits. `cpu` is what
// libtorch's LayerNorm is vectorised for; `sums` says whether products are fused with their sums and how many are
// summed at a time (panel_products.h).
std::string CpuNumerics();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ENGINE_NUMERICS_H_
