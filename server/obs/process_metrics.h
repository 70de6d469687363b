// What every Prometheus client tells about its process, read from /proc at each scrape:
//
//   process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes, process_threads,
//   process_open_fds, process_max_fds, process_start_time_seconds
#ifndef HYDROPHONE_SERVER_OBS_PROCESS_METRICS_H_
#define HYDROPHONE_SERVER_OBS_PROCESS_METRICS_H_

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace hydrophone {

// Thread-safe. What cannot be read is left out.
class ProcessMetrics final : public prometheus::Collectable {
 public:
  // `proc` is where the system shows its processes.
  explicit ProcessMetrics(std::string proc = "/proc");

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::string proc_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_PROCESS_METRICS_H_
