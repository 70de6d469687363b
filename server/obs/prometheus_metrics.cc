#include "server/obs/prometheus_metrics.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"

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

Counter& OneCounter(Registry& registry, const char* name, const char* help) {
  return Counters(registry, name, help).Add({});
}

prometheus::Family<Gauge>& Gauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

Gauge& OneGauge(Registry& registry, const char* name, const char* help) { return Gauges(registry, name, help).Add({}); }

prometheus::Family<Histogram>& Histograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

Histogram& OneHistogram(Registry& registry, const char* name, const char* help, const Buckets& buckets) {
  return Histograms(registry, name, help).Add({}, buckets);
}

std::map<std::string, Counter*> Refusals(Registry& registry) {
  auto& refusals = Counters(registry, "hydrophone_refusals_total", "Calls refused, by reason.");
  std::map<std::string, Counter*> by_reason;
  for (const absl::string_view reason : RefusalReasons()) {
    by_reason[std::string(reason)] = &refusals.Add({{"reason", std::string(reason)}});
  }
  by_reason[kOtherReason] = &refusals.Add({{"reason", kOtherReason}});
  return by_reason;
}

std::map<CallStage, Counter*> Cancellations(Registry& registry) {
  auto& given_up = Counters(registry, "hydrophone_cancellations_total",
                            "Calls whose caller left or whose time was over, by how far they had come.");
  return {{CallStage::kQueued, &given_up.Add({{"stage", "queued"}})},
          {CallStage::kComputing, &given_up.Add({{"stage", "computing"}})},
          {CallStage::kSending, &given_up.Add({{"stage", "sending"}})}};
}

std::map<WorkClass, Histogram*> QueueWaits(Registry& registry) {
  auto& waits = Histograms(registry, "hydrophone_queue_wait_seconds", "Time from admission to the forward pass.");
  return {{WorkClass::kShort, &waits.Add({{"class", "short"}}, SecondsBuckets())},
          {WorkClass::kBulk, &waits.Add({{"class", "bulk"}}, SecondsBuckets())}};
}

}  // namespace

PrometheusMetrics::PrometheusMetrics(const std::string& service, const std::vector<MethodLabels>& methods,
                                     const std::vector<std::string>& codes, const Limits& limits)
    : refusals_(Refusals(*registry_)),
      given_up_(Cancellations(*registry_)),
      queue_wait_(QueueWaits(*registry_)),
      first_tensor_(OneHistogram(*registry_, "hydrophone_first_tensor_seconds",
                                 "Time from an Extract's request to its first tensor.", SecondsBuckets())),
      stalled_writes_(OneCounter(*registry_, "hydrophone_stalled_writes_total",
                                 "Messages that waited more than a second for their caller to read.")),
      draining_(OneGauge(*registry_, "hydrophone_draining", "1 when the server stops, else 0.")),
      queue_depth_(OneGauge(*registry_, "hydrophone_queue_depth_requests", "Requests waiting for the model.")),
      budget_used_(
          OneGauge(*registry_, "hydrophone_response_budget_used_bytes", "Captured data held by open streams.")),
      tokens_(OneCounter(*registry_, "hydrophone_tokens_total", "Tokens of the batches computed.")),
      prefix_tokens_saved_(OneCounter(*registry_, "hydrophone_prefix_tokens_saved_total",
                                      "Tokens of the batches that shared the beginning of another run.")),
      busy_(OneCounter(*registry_, "hydrophone_engine_busy_seconds_total", "Time in forward passes.")),
      lines_dropped_(OneCounter(*registry_, "hydrophone_log_lines_dropped_total",
                                "Calls without a line in the log, which could not be written as fast.")),
      compute_(
          OneHistogram(*registry_, "hydrophone_compute_seconds", "Time of a batch's forward pass.", SecondsBuckets())),
      batch_requests_(
          OneHistogram(*registry_, "hydrophone_batch_requests", "Requests computed together.", PowersOfTwo(9))),
      batch_tokens_(OneHistogram(*registry_, "hydrophone_batch_tokens", "Tokens computed together.", PowersOfTwo(16))) {
  OneGauge(*registry_, "hydrophone_queue_limit_requests", "Requests that may wait for the model.")
      .Set(limits.max_queued_requests);
  OneGauge(*registry_, "hydrophone_response_budget_limit_bytes", "Captured data that open streams may hold.")
      .Set(static_cast<double>(limits.response_budget_bytes));
  AddMethods(service, methods, codes);
}

void PrometheusMetrics::AddMethods(const std::string& service, const std::vector<MethodLabels>& methods,
                                   const std::vector<std::string>& codes) {
  auto& started = Counters(*registry_, "grpc_server_started_total", "Calls started.");
  auto& handled = Counters(*registry_, "grpc_server_handled_total", "Calls completed, by status code.");
  auto& received = Counters(*registry_, "grpc_server_msg_received_total", "Messages received.");
  auto& sent = Counters(*registry_, "grpc_server_msg_sent_total", "Messages sent.");
  auto& seconds =
      Histograms(*registry_, "grpc_server_handling_seconds", "Time of a call, from its request to its end.");
  auto& in_flight = Gauges(*registry_, "hydrophone_calls_in_flight", "Calls that have begun and not ended.");
  auto& sent_bytes = Counters(*registry_, "hydrophone_response_bytes_total", "Bytes of messages handed to gRPC.");
  for (const MethodLabels& each : methods) {
    const prometheus::Labels own = {{"grpc_method", each.name}};
    prometheus::Labels labels = {{"grpc_type", each.type}, {"grpc_service", service}, {"grpc_method", each.name}};
    Method method{.name = each.name,
                  .in_flight = &in_flight.Add(own),
                  .started = &started.Add(labels),
                  .handled = {},
                  .received = &received.Add(labels),
                  .sent = &sent.Add(labels),
                  .sent_bytes = &sent_bytes.Add(own),
                  .seconds = &seconds.Add(labels, SecondsBuckets())};
    for (const std::string& code : codes) {
      labels["grpc_code"] = code;
      method.handled[code] = &handled.Add(labels);
    }
    methods_.push_back(std::move(method));
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
  OneGauge(*registry_, "hydrophone_weights_bytes", "The model's parameters as float32; products keep a copy of some.")
      .Set(static_cast<double>(model.parameters) * sizeof(float));
}

const PrometheusMetrics::Method* PrometheusMetrics::Find(absl::string_view name) const {
  for (const Method& method : methods_) {
    if (name == method.name) return &method;
  }
  return nullptr;
}

void PrometheusMetrics::RpcStarted(absl::string_view method) {
  const Method* known = Find(method);
  if (known == nullptr) return;
  known->started->Increment();
  known->in_flight->Increment();
}

void PrometheusMetrics::RpcHandled(absl::string_view method, absl::string_view code, absl::Duration elapsed) {
  const Method* known = Find(method);
  if (known == nullptr) return;
  known->in_flight->Decrement();
  known->seconds->Observe(absl::ToDoubleSeconds(elapsed));
  const auto counter = known->handled.find(std::string(code));
  if (counter != known->handled.end()) counter->second->Increment();
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

void PrometheusMetrics::CallRefused(absl::string_view reason) {
  const auto known = refusals_.find(std::string(reason));
  (known == refusals_.end() ? refusals_.at(kOtherReason) : known->second)->Increment();
}

void PrometheusMetrics::CallGivenUp(CallStage stage) { given_up_.at(stage)->Increment(); }

void PrometheusMetrics::FirstTensor(absl::Duration elapsed) { first_tensor_.Observe(absl::ToDoubleSeconds(elapsed)); }

void PrometheusMetrics::WriteStalled() { stalled_writes_.Increment(); }

void PrometheusMetrics::Draining() { draining_.Set(1); }

void PrometheusMetrics::QueueDepth(int64_t requests) { queue_depth_.Set(static_cast<double>(requests)); }

void PrometheusMetrics::BudgetUsed(uint64_t bytes) { budget_used_.Set(static_cast<double>(bytes)); }

void PrometheusMetrics::BatchDone(int64_t requests, int64_t tokens, absl::Duration elapsed) {
  batch_requests_.Observe(static_cast<double>(requests));
  batch_tokens_.Observe(static_cast<double>(tokens));
  tokens_.Increment(static_cast<double>(tokens));
  busy_.Increment(absl::ToDoubleSeconds(elapsed));
  compute_.Observe(absl::ToDoubleSeconds(elapsed));
}

void PrometheusMetrics::QueueWait(WorkClass work, absl::Duration elapsed) {
  queue_wait_.at(work)->Observe(absl::ToDoubleSeconds(elapsed));
}

void PrometheusMetrics::PrefixTokensSaved(int64_t tokens) {
  prefix_tokens_saved_.Increment(static_cast<double>(tokens));
}

void PrometheusMetrics::LogLineDropped() { lines_dropped_.Increment(); }

}  // namespace hydrophone
