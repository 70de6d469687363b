// Metrics (core/metrics.h) as Prometheus counters, gauges and histograms.
//
// clang-format off
// Names of gRPC's ecosystem, labelled grpc_type, grpc_service, grpc_method (and grpc_code):
//   grpc_server_started_total, grpc_server_handled_total, grpc_server_handling_seconds,
//   grpc_server_msg_received_total, grpc_server_msg_sent_total
// Hydrophone's own:
//   hydrophone_calls_in_flight{grpc_method}                              calls that have begun and not ended
//   hydrophone_response_bytes_total{grpc_method}                         bytes of messages handed to gRPC
//   hydrophone_refusals_total{reason}                                    calls refused; reasons of core/errors.h, or OTHER
//   hydrophone_cancellations_total{stage}                                calls given up: queued, computing, sending
//   hydrophone_first_tensor_seconds                                      histogram: an Extract's wait for its first tensor
//   hydrophone_stalled_writes_total                                      messages whose caller was slow to read them
//   hydrophone_draining                                                  1 from SIGTERM on, 0 before
//   hydrophone_log_lines_dropped_total                                   calls that have no line in the log
//   hydrophone_queue_depth_requests, hydrophone_queue_limit_requests
//   hydrophone_response_budget_used_bytes, hydrophone_response_budget_limit_bytes
//   hydrophone_queue_wait_seconds{class}                                 histogram: a request's wait: any, short, bulk
//   hydrophone_compute_seconds                                           histogram: a batch's forward pass
//   hydrophone_engine_busy_seconds_total                                 time in forward passes
//   hydrophone_batch_requests, hydrophone_batch_tokens                   histograms
//   hydrophone_tokens_total                                              tokens of the batches
//   hydrophone_prefix_tokens_saved_total                                 those of them that shared another run's beginning
//   hydrophone_weights_bytes                                             of the model's parameters, as float32
//   hydrophone_build_info{version,libtorch}, hydrophone_model_info{...}  always 1
// clang-format on
//
// Every series is there at the first scrape, since rates and alerts miss the first event of one that begins with it.
// Labels have fixed sets of values: none comes from a caller.
#ifndef HYDROPHONE_SERVER_OBS_PROMETHEUS_METRICS_H_
#define HYDROPHONE_SERVER_OBS_PROMETHEUS_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
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

// The value of the label `reason` for reasons that core/errors.h does not list.
inline constexpr char kOtherReason[] = "OTHER";

// Calls of methods other than the given ones are counted as refusals alone: their names come from clients, and each new
// one would be a series for ever. Thread-safe.
class PrometheusMetrics : public Metrics {
 public:
  // `codes` are the names of all status codes.
  PrometheusMetrics(const std::string& service, const std::vector<MethodLabels>& methods,
                    const std::vector<std::string>& codes, const Limits& limits);

  // Adds the info series. To be called once.
  void SetInfo(const std::string& version, const ModelInfo& model, const ComputeInfo& compute);

  // What a scrape reads.
  std::shared_ptr<prometheus::Registry> registry() const { return registry_; }

  void RpcStarted(absl::string_view method) override;
  void RpcHandled(absl::string_view method, absl::string_view code, absl::Duration elapsed) override;
  void RpcMessageReceived(absl::string_view method) override;
  void RpcMessageSent(absl::string_view method, uint64_t bytes) override;
  void CallRefused(absl::string_view reason) override;
  void CallGivenUp(CallStage stage) override;
  void FirstTensor(absl::Duration elapsed) override;
  void WriteStalled() override;
  void Draining() override;
  void QueueDepth(int64_t requests) override;
  void BudgetUsed(uint64_t bytes) override;
  void BatchDone(int64_t requests, int64_t tokens, absl::Duration elapsed) override;
  using Metrics::QueueWait;
  void QueueWait(WorkClass work, absl::Duration elapsed) override;
  void PrefixTokensSaved(int64_t tokens) override;
  void LogLineDropped() override;

 private:
  struct Method {
    std::string name;
    prometheus::Gauge* in_flight;
    prometheus::Counter* started;
    std::map<std::string, prometheus::Counter*> handled;  // by code
    prometheus::Counter* received;
    prometheus::Counter* sent;
    prometheus::Counter* sent_bytes;
    prometheus::Histogram* seconds;
  };

  void AddMethods(const std::string& service, const std::vector<MethodLabels>& methods,
                  const std::vector<std::string>& codes);

  // The method of that name; null for a name that the service does not have.
  const Method* Find(absl::string_view name) const;

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::vector<Method> methods_;                             // fixed after construction
  std::map<std::string, prometheus::Counter*> refusals_;    // by reason, fixed after construction
  std::map<CallStage, prometheus::Counter*> given_up_;      // fixed after construction
  std::map<WorkClass, prometheus::Histogram*> queue_wait_;  // fixed after construction
  prometheus::Histogram& first_tensor_;
  prometheus::Counter& stalled_writes_;
  prometheus::Gauge& draining_;
  prometheus::Gauge& queue_depth_;
  prometheus::Gauge& budget_used_;
  prometheus::Counter& tokens_;
  prometheus::Counter& prefix_tokens_saved_;
  prometheus::Counter& busy_;
  prometheus::Counter& lines_dropped_;
  prometheus::Histogram& compute_;
  prometheus::Histogram& batch_requests_;
  prometheus::Histogram& batch_tokens_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_OBS_PROMETHEUS_METRICS_H_
