#include "server/obs/prometheus_metrics.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;
using Buckets = Histogram::BucketBoundaries;

// In seconds; the ends are the answer to a health check and a long Verify.
const Buckets& SecondsBuckets() {
  static const Buckets buckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
  return buckets;
}

Buckets PowersOfTwo(int count) {
  Buckets buckets;
  for (int i = 0; i < count; ++i) buckets.push_back(static_cast<double>(int64_t{1} << i));
  return buckets;
}

prometheus::Family<Counter>& Counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Gauge& OneGauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Family<Histogram>& Histograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

PrometheusMetrics::PrometheusMetrics(const std::string& service, const std::vector<MethodLabels>& methods,
                                     const Limits& limits)
    : handled_(Counters(*registry_, "grpc_server_handled_total", "Calls completed, by status code.")),
      queue_depth_(OneGauge(*registry_, "hydrophone_queue_depth_requests", "Requests waiting for the model.")),
      budget_used_(
          OneGauge(*registry_, "hydrophone_response_budget_used_bytes", "Captured data held by open streams.")),
      tokens_(Counters(*registry_, "hydrophone_tokens_total", "Tokens computed.").Add({})),
      queue_wait_(Histograms(*registry_, "hydrophone_queue_wait_seconds", "Time from admission to the forward pass.")
                      .Add({}, SecondsBuckets())),
      compute_(Histograms(*registry_, "hydrophone_compute_seconds", "Time of a batch's forward pass.")
                   .Add({}, SecondsBuckets())),
      batch_requests_(
          Histograms(*registry_, "hydrophone_batch_requests", "Requests computed together.").Add({}, PowersOfTwo(9))),
      batch_tokens_(
          Histograms(*registry_, "hydrophone_batch_tokens", "Tokens computed together.").Add({}, PowersOfTwo(16))) {
  OneGauge(*registry_, "hydrophone_queue_limit_requests", "Requests that may wait for the model.")
      .Set(limits.max_queued_requests);
  OneGauge(*registry_, "hydrophone_response_budget_limit_bytes", "Captured data that open streams may hold.")
      .Set(static_cast<double>(limits.response_budget_bytes));

  auto& started = Counters(*registry_, "grpc_server_started_total", "Calls started.");
  auto& received = Counters(*registry_, "grpc_server_msg_received_total", "Messages received.");
  auto& sent = Counters(*registry_, "grpc_server_msg_sent_total", "Messages sent.");
  auto& sent_bytes = Counters(*registry_, "hydrophone_response_bytes_total", "Bytes of messages handed to gRPC.");
  auto& seconds =
      Histograms(*registry_, "grpc_server_handling_seconds", "Time of a call, from its request to its end.");
  for (const MethodLabels& each : methods) {
    prometheus::Labels labels = {{"grpc_type", each.type}, {"grpc_service", service}, {"grpc_method", each.name}};
    methods_.push_back({each.name, labels, &started.Add(labels), &received.Add(labels), &sent.Add(labels),
                        &sent_bytes.Add({{"grpc_method", each.name}}), &seconds.Add(labels, SecondsBuckets())});
    labels.emplace("grpc_code", "OK");
    handled_.Add(labels);
  }
}

void PrometheusMetrics::SetInfo(const std::string& version, const ModelInfo& model, const ComputeInfo& compute) {
  prometheus::BuildGauge()
      .Name("hydrophone_build_info")
      .Help("Versions; always 1.")
      .Register(*registry_)
      .Add({{"version", version}, {"libtorch", compute.libtorch_version}})
      .Set(1);
  prometheus::BuildGauge()
      .Name("hydrophone_model_info")
      .Help("The loaded model; always 1.")
      .Register(*registry_)
      .Add({{"name", model.name},
            {"weights_sha256", model.weights_sha256},
            {"tokenizer_sha256", model.tokenizer_sha256},
            {"numerics", compute.numerics},
            {"parameters", absl::StrCat(model.parameters)}})
      .Set(1);
}

const PrometheusMetrics::Method* PrometheusMetrics::Find(absl::string_view name) const {
  for (const Method& method : methods_) {
    if (name == method.name) return &method;
  }
  return nullptr;
}

void PrometheusMetrics::RpcStarted(absl::string_view method) {
  if (const Method* known = Find(method)) known->started->Increment();
}

void PrometheusMetrics::RpcHandled(absl::string_view method, absl::string_view code, absl::Duration elapsed) {
  const Method* known = Find(method);
  if (known == nullptr) return;
  prometheus::Labels labels = known->labels;
  labels.emplace("grpc_code", std::string(code));
  handled_.Add(labels).Increment();
  known->seconds->Observe(absl::ToDoubleSeconds(elapsed));
}

void PrometheusMetrics::RpcMessageReceived(absl::string_view method) {
  if (const Method* known = Find(method)) known->received->Increment();
}

void PrometheusMetrics::RpcMessageSent(absl::string_view method, uint64_t bytes) {
  const Method* known = Find(method);
  if (known == nullptr) return;
  known->sent->Increment();
  known->sent_bytes->Increment(static_cast<double>(bytes));
}

void PrometheusMetrics::QueueDepth(int64_t requests) { queue_depth_.Set(static_cast<double>(requests)); }

void PrometheusMetrics::BudgetUsed(uint64_t bytes) { budget_used_.Set(static_cast<double>(bytes)); }

void PrometheusMetrics::BatchDone(int64_t requests, int64_t tokens, absl::Duration elapsed) {
  batch_requests_.Observe(static_cast<double>(requests));
  batch_tokens_.Observe(static_cast<double>(tokens));
  tokens_.Increment(static_cast<double>(tokens));
  compute_.Observe(absl::ToDoubleSeconds(elapsed));
}

void PrometheusMetrics::QueueWait(absl::Duration elapsed) { queue_wait_.Observe(absl::ToDoubleSeconds(elapsed)); }

}  // namespace hydrophone
