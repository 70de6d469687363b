#include "server/obs/prometheus_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/core/errors.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PrometheusMetricsTest : public testing::Test {
 protected:
  std::string Scrape() const { return prometheus::TextSerializer().Serialize(metrics_.registry()->Collect()); }

  // The names and labels of all series.
  std::set<std::string> Series() const {
    std::set<std::string> series;
    for (absl::string_view line : absl::StrSplit(Scrape(), '\n', absl::SkipEmpty())) {
      if (line[0] != '#') series.insert(std::string(line.substr(0, line.rfind(' '))));
    }
    return series;
  }

  PrometheusMetrics metrics_{"hydrophone.v1.ActivationService",
                             {{"GetModel", "unary"}, {"Extract", "server_stream"}},
                             {"OK", "Canceled", "Unknown"},
                             Limits()};
};

TEST_F(PrometheusMetricsTest, EverySeriesIsThereFromTheStart) {
  EXPECT_THAT(Scrape(), HasSubstr("grpc_server_started_total{grpc_method=\"Extract\","
                                  "grpc_service=\"hydrophone.v1.ActivationService\",grpc_type=\"server_stream\"} 0"));
  for (const char* code : {"OK", "Canceled", "Unknown"}) {
    EXPECT_THAT(Scrape(),
                HasSubstr(absl::StrCat("grpc_server_handled_total{grpc_code=\"", code, "\",grpc_method=\"GetModel\",",
                                       "grpc_service=\"hydrophone.v1.ActivationService\",grpc_type=\"unary\"} 0")));
  }
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_queue_limit_requests 256"));
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_response_budget_limit_bytes 2147483648"));
}

// A rate or an alert misses the first event of a series that begins with it.
TEST_F(PrometheusMetricsTest, NoSeriesBeginsWithItsFirstEvent) {
  metrics_.SetInfo("0.1.0", ModelInfo(), ComputeInfo());
  const std::set<std::string> at_first = Series();
  for (const char* method : {"Extract", "DropTables"}) {
    metrics_.RpcStarted(method);
    metrics_.RpcMessageReceived(method);
    metrics_.RpcMessageSent(method, 1);
    for (const char* code : {"OK", "Unknown", "MadeUp"}) metrics_.RpcHandled(method, code, absl::Seconds(1));
  }
  for (const absl::string_view reason : RefusalReasons()) metrics_.CallRefused(reason);
  metrics_.CallRefused("MADE_UP");
  for (CallStage stage : {CallStage::kQueued, CallStage::kComputing, CallStage::kSending}) metrics_.CallGivenUp(stage);
  for (WorkClass work : {WorkClass::kShort, WorkClass::kBulk}) {
    metrics_.QueueWait(work, absl::Seconds(1));
  }
  metrics_.FirstTensor(absl::Seconds(1));
  metrics_.WriteStalled();
  metrics_.Draining();
  metrics_.QueueDepth(1);
  metrics_.BudgetUsed(1);
  metrics_.BatchDone(1, 1, absl::Seconds(1));
  metrics_.PrefixTokensSaved(1);
  metrics_.LogLineDropped();
  EXPECT_EQ(Series(), at_first);
}

TEST_F(PrometheusMetricsTest, CallsInFlightAreThoseThatHaveNotEnded) {
  metrics_.RpcStarted("Extract");
  metrics_.RpcStarted("Extract");
  metrics_.RpcHandled("Extract", "OK", absl::ZeroDuration());
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_calls_in_flight{grpc_method=\"Extract\"} 1"));
}

TEST_F(PrometheusMetricsTest, HowCallsFailShows) {
  metrics_.CallRefused("OVERLOADED");
  metrics_.CallRefused("MADE_UP");
  metrics_.CallGivenUp(CallStage::kComputing);
  metrics_.FirstTensor(absl::Milliseconds(20));
  metrics_.WriteStalled();
  metrics_.LogLineDropped();
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_draining 0"));
  metrics_.Draining();
  const std::string scrape = Scrape();
  EXPECT_THAT(scrape, HasSubstr("hydrophone_refusals_total{reason=\"OVERLOADED\"} 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_refusals_total{reason=\"OTHER\"} 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_refusals_total{reason=\"DRAINING\"} 0"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_cancellations_total{stage=\"computing\"} 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_cancellations_total{stage=\"queued\"} 0"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_first_tensor_seconds_bucket{le=\"0.025\"} 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_stalled_writes_total 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_log_lines_dropped_total 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_draining 1"));
}

TEST_F(PrometheusMetricsTest, ACallIsCountedFromStartToEnd) {
  metrics_.RpcStarted("Extract");
  metrics_.RpcMessageReceived("Extract");
  metrics_.RpcMessageSent("Extract", 100);
  metrics_.RpcMessageSent("Extract", 50);
  metrics_.RpcHandled("Extract", "Canceled", absl::Milliseconds(20));
  const std::string labels =
      "grpc_method=\"Extract\",grpc_service=\"hydrophone.v1.ActivationService\",grpc_type=\"server_stream\"";
  std::string scrape = Scrape();
  EXPECT_THAT(scrape, HasSubstr("grpc_server_started_total{" + labels + "} 1"));
  EXPECT_THAT(scrape, HasSubstr("grpc_server_msg_received_total{" + labels + "} 1"));
  EXPECT_THAT(scrape, HasSubstr("grpc_server_msg_sent_total{" + labels + "} 2"));
  EXPECT_THAT(scrape, HasSubstr("grpc_server_handled_total{grpc_code=\"Canceled\"," + labels + "} 1"));
  EXPECT_THAT(scrape, HasSubstr("grpc_server_handling_seconds_bucket{" + labels + ",le=\"0.025\"} 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_response_bytes_total{grpc_method=\"Extract\"} 150"));
}

TEST_F(PrometheusMetricsTest, AMethodThatAClientMadeUpMakesNoSeries) {
  metrics_.RpcStarted("DropTables");
  metrics_.RpcHandled("DropTables", "OK", absl::ZeroDuration());
  EXPECT_THAT(Scrape(), Not(HasSubstr("DropTables")));
}

TEST_F(PrometheusMetricsTest, TheSchedulersNumbersShow) {
  metrics_.QueueDepth(3);
  metrics_.BudgetUsed(4096);
  metrics_.BatchDone(2, 300, absl::Seconds(2));
  metrics_.QueueWait(WorkClass::kShort, absl::Milliseconds(40));
  metrics_.QueueWait(WorkClass::kBulk, absl::Milliseconds(80));
  metrics_.PrefixTokensSaved(12);
  std::string scrape = Scrape();
  EXPECT_THAT(scrape, HasSubstr("hydrophone_queue_depth_requests 3"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_response_budget_used_bytes 4096"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_tokens_total 300"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_batch_tokens_bucket{le=\"256\"} 0"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_batch_tokens_bucket{le=\"512\"} 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_batch_requests_bucket{le=\"2\"} 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_queue_wait_seconds_sum{class=\"short\"} 0.04"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_queue_wait_seconds_sum{class=\"bulk\"} 0.08"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_prefix_tokens_saved_total 12"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_engine_busy_seconds_total 2"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_compute_seconds_count 1"));
}

TEST_F(PrometheusMetricsTest, TheModelIsNamed) {
  ModelInfo model;
  model.name = "tiny";
  model.weights_sha256 = "abc";
  model.parameters = 1000;
  metrics_.SetInfo("0.1.0", model, ComputeInfo());
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_model_info{name=\"tiny\""));
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_weights_bytes 4000"));
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_build_info{libtorch=\"\",version=\"0.1.0\"} 1"));
}

}  // namespace
}  // namespace hydrophone
