// Serves metrics over HTTP, at /metrics, for Prometheus to scrape.
#ifndef HYDROPHONE_SERVER_OBS_METRICS_ENDPOINT_H_
#define HYDROPHONE_SERVER_OBS_METRICS_ENDPOINT_H_

#include <CivetServer.h>
#include <prometheus/collectable.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hydrophone {

// Serves from its construction to its destruction, on two threads of its own. (prometheus-cpp's Exposer does too, and
// adds series about itself to every scrape.)
class MetricsEndpoint {
 public:
  using Collectables = std::vector<std::shared_ptr<const prometheus::Collectable>>;

  // `listen`: "127.0.0.1:9464", "[::1]:9464"; port 0 takes a free one. A scrape reads the collectables, in this order.
  // UNAVAILABLE, naming the address, when it cannot be had.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(const std::string& listen, Collectables collectables);

  int port() { return server_.getListeningPorts().at(0); }

 private:
  // Answers GET /metrics.
  class Page final : public CivetHandler {
   public:
    explicit Page(Collectables collectables) : collectables_(std::move(collectables)) {}
    bool handleGet(CivetServer* server, mg_connection* connection) override;

   private:
    const Collectables collectables_;
  };

  MetricsEndpoint(const std::string& listen, Collectables collectables);

  Page page_;
  CivetServer server_;  // ends before the page
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_METRICS_ENDPOINT_H_
