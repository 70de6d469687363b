#include "server/model/engine/numerics.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "server/model/kernels/cpu/panel_products.h"

namespace hydrophone {

std::optional<double> CpuQuota(const std::string& cgroup_root) {
  if (std::ifstream v2(cgroup_root + "/cpu.max"); v2) {
    std::string quota;
    double period = 0;
    if (v2 >> quota >> period && quota != "max" && period > 0) return std::atof(quota.c_str()) / period;
    return std::nullopt;
  }
  std::ifstream quota_file(cgroup_root + "/cpu/cpu.cfs_quota_us"), period_file(cgroup_root + "/cpu/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

int ThreadsFromCpuQuota(const std::string& cgroup_root) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  int threads = sched_getaffinity(0, sizeof(usable), &usable) == 0 ? CPU_COUNT(&usable) : 1;
  if (const std::optional<double> quota = CpuQuota(cgroup_root)) {
    threads = std::min(threads, static_cast<int>(std::ceil(*quota)));
  }
  return std::max(threads, 1);
}

std::string CpuNumerics() {
  return absl::StrCat("contract=", kNumericContract, SumsAreFused() ? "" : ";products=rounded");
}

absl::string_view CpuInstructionSet() { return PanelKernels().front().instruction_set; }

}  // namespace hydrophone
