#include "server/obs/prometheus_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

namespace hydrophone {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PrometheusMetricsTest : public testing::Test {
 protected:
  std::string Scrape() const { return prometheus::TextSerializer().Serialize(metrics_.registry()->Collect()); }

  PrometheusMetrics metrics_{
      "hydrophone.v1.ActivationService", {{"GetModel", "unary"}, {"Extract", "server_stream"}}, Limits()};
};

TEST_F(PrometheusMetricsTest, EverySeriesIsThereFromTheStart) {
  EXPECT_THAT(Scrape(), HasSubstr("grpc_server_started_total{grpc_method=\"Extract\","
                                  "grpc_service=\"hydrophone.v1.ActivationService\",grpc_type=\"server_stream\"} 0"));
  EXPECT_THAT(Scrape(), HasSubstr("grpc_server_handled_total{grpc_code=\"OK\",grpc_method=\"GetModel\","
                                  "grpc_service=\"hydrophone.v1.ActivationService\",grpc_type=\"unary\"} 0"));
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_queue_limit_requests 256"));
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_response_budget_limit_bytes 2147483648"));
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
  metrics_.QueueWait(absl::Milliseconds(40));
  std::string scrape = Scrape();
  EXPECT_THAT(scrape, HasSubstr("hydrophone_queue_depth_requests 3"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_response_budget_used_bytes 4096"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_tokens_total 300"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_batch_tokens_bucket{le=\"256\"} 0"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_batch_tokens_bucket{le=\"512\"} 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_batch_requests_bucket{le=\"2\"} 1"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_queue_wait_seconds_sum 0.04"));
  EXPECT_THAT(scrape, HasSubstr("hydrophone_compute_seconds_count 1"));
}

TEST_F(PrometheusMetricsTest, TheModelIsNamed) {
  ModelInfo model;
  model.name = "tiny";
  model.weights_sha256 = "abc";
  metrics_.SetInfo("0.1.0", model, ComputeInfo());
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_model_info{name=\"tiny\""));
  EXPECT_THAT(Scrape(), HasSubstr("hydrophone_build_info{libtorch=\"\",version=\"0.1.0\"} 1"));
}

}  // namespace
}  // namespace hydrophone
