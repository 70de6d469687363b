// How much of the machine's processors this process is given.
#ifndef HYDROPHONE_SERVER_CONTAINER_CPU_QUOTA_H_
#define HYDROPHONE_SERVER_CONTAINER_CPU_QUOTA_H_

#include <optional>

#include "server/container/control_groups.h"

namespace hydrophone {

// How many CPUs' worth of time the process's control groups grant: the smallest of their quotas (cpu.max of version 2,
// cpu.cfs_quota_us over cpu.cfs_period_us of version 1); nullopt when none sets one.
std::optional<double> CpuQuota(const SystemFiles& files = {});

// Threads for one product: the CPU quota rounded up, at most the CPUs that this process may use, at least 1.
int ThreadsFromCpuQuota(const SystemFiles& files = {});

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CONTAINER_CPU_QUOTA_H_
