#include "server/container/cpu_quota.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#include "absl/strings/numbers.h"

namespace hydrophone {
namespace {

// The quota of one group; nullopt when its files are not there, or make no sense.
std::optional<double> QuotaOf(const std::string& directory) {
  std::string quota;  // "max" in version 2, -1 in version 1: no limit
  double period = 0, microseconds = 0;
  std::ifstream both(directory + "/cpu.max");
  if (!(both >> quota >> period)) {
    std::ifstream quota_file(directory + "/cpu.cfs_quota_us"), period_file(directory + "/cpu.cfs_period_us");
    if (!(quota_file >> quota && period_file >> period)) return std::nullopt;
  }
  if (!absl::SimpleAtod(quota, &microseconds) || !(microseconds > 0 && period > 0)) return std::nullopt;  // NaN too
  return microseconds / period;
}

}  // namespace

std::optional<double> CpuQuota(const SystemFiles& files) {
  std::optional<double> smallest;
  for (const std::string& directory : ControlGroups(files, "cpu")) {
    const std::optional<double> quota = QuotaOf(directory);
    if (quota.has_value()) smallest = std::min(smallest.value_or(*quota), *quota);
  }
  return smallest;
}

int ThreadsFromCpuQuota(const SystemFiles& files) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  int threads = sched_getaffinity(0, sizeof(usable), &usable) == 0 ? CPU_COUNT(&usable) : 1;
  if (const std::optional<double> quota = CpuQuota(files)) {
    threads = static_cast<int>(std::min<double>(threads, std::ceil(*quota)));
  }
  return std::max(threads, 1);
}

}  // namespace hydrophone
