// Metrics (core/metrics.h) as Prometheus counters, gauges and histograms.
//
// clang-format off
// Names of gRPC's ecosystem, labelled grpc_type, grpc_service, grpc_method (and grpc_code):
//   grpc_server_started_total, grpc_server_handled_total, grpc_server_handling_seconds,
//   grpc_server_msg_received_total, grpc_server_msg_sent_total
// Hydrophone's own:
//   hydrophone_response_bytes_total{grpc_method}                    bytes of messages handed to gRPC
//   hydrophone_queue_depth_requests, hydrophone_queue_limit_requests
//   hydrophone_response_budget_used_bytes, hydrophone_response_budget_limit_bytes
//   hydrophone_queue_wait_seconds, hydrophone_compute_seconds            histograms: a request's wait, a batch's forward
//   hydrophone_batch_requests, hydrophone_batch_tokens                   histograms
//   hydrophone_tokens_total                                              tokens computed
//   hydrophone_build_info{version,libtorch}, hydrophone_model_info{...}  always 1
// clang-format on
#ifndef HYDROPHONE_SERVER_OBS_PROMETHEUS_METRICS_H_
#define HYDROPHONE_SERVER_OBS_PROMETHEUS_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>
#include <vector>

#include "server/core/limits.h"
#include "server/core/metrics.h"
#include "server/core/model_info.h"

namespace hydrophone {

// A method of the service, for the labels. `type` is "unary" or "server_stream".
struct MethodLabels {
  std::string name;
  std::string type;
};

// Every method's series exist from the start, at zero. Calls of other methods are not counted: their names come from
// clients, and each new one would be a series for ever. Thread-safe.
class PrometheusMetrics : public Metrics {
 public:
  PrometheusMetrics(const std::string& service, const std::vector<MethodLabels>& methods, const Limits& limits);

  // Adds the info series. To be called once.
  void SetInfo(const std::string& version, const ModelInfo& model, const ComputeInfo& compute);

  // What a scrape reads.
  std::shared_ptr<prometheus::Registry> registry() const { return registry_; }

  void RpcStarted(absl::string_view method) override;
  void RpcHandled(absl::string_view method, absl::string_view code, absl::Duration elapsed) override;
  void RpcMessageReceived(absl::string_view method) override;
  void RpcMessageSent(absl::string_view method, uint64_t bytes) override;
  void QueueDepth(int64_t requests) override;
  void BudgetUsed(uint64_t bytes) override;
  void BatchDone(int64_t requests, int64_t tokens, absl::Duration elapsed) override;
  void QueueWait(absl::Duration elapsed) override;

 private:
  struct Method {
    std::string name;
    prometheus::Labels labels;
    prometheus::Counter* started;
    prometheus::Counter* received;
    prometheus::Counter* sent;
    prometheus::Counter* sent_bytes;
    prometheus::Histogram* seconds;
  };

  // The method of that name; null for a name that the service does not have.
  const Method* Find(absl::string_view name) const;

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  prometheus::Family<prometheus::Counter>& handled_;
  std::vector<Method> methods_;  // fixed after construction
  prometheus::Gauge& queue_depth_;
  prometheus::Gauge& budget_used_;
  prometheus::Counter& tokens_;
  prometheus::Histogram& queue_wait_;
  prometheus::Histogram& compute_;
  prometheus::Histogram& batch_requests_;
  prometheus::Histogram& batch_tokens_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_PROMETHEUS_METRICS_H_
