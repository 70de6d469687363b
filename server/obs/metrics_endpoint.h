// Serves metrics over HTTP, at /metrics, for Prometheus to scrape.
#ifndef HYDROPHONE_SERVER_OBS_METRICS_ENDPOINT_H_
#define HYDROPHONE_SERVER_OBS_METRICS_ENDPOINT_H_

#include <prometheus/exposer.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace hydrophone {

// Serves from its construction to its destruction, on two threads of its own.
class MetricsEndpoint {
 public:
  // `listen`: "127.0.0.1:9464", "[::1]:9464"; port 0 takes a free one. UNAVAILABLE, naming the address, when it cannot
  // be had.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(const std::string& listen,
                                                                std::shared_ptr<prometheus::Registry> registry);

  int port() const { return exposer_->GetListeningPorts().at(0); }

 private:
  MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer, std::shared_ptr<prometheus::Registry> registry);

  const std::shared_ptr<prometheus::Registry> registry_;  // the exposer holds it weakly
  const std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_METRICS_ENDPOINT_H_
