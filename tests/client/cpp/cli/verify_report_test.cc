#include "client/cpp/cli/verify_report.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;

v1::VerifyResponse Server() {
  v1::VerifyResponse server;
  server.set_passed(true);
  server.mutable_provenance()->set_model("toy");
  v1::LayerReport* layer = server.add_layers();
  layer->set_layer(1);
  layer->set_bitwise(true);
  v1::Correlation* correlation = layer->add_correlations();
  correlation->set_name("H[L]~H[L+1]");
  correlation->set_r(0.5);
  v1::Check* check = server.add_checks();
  check->set_name("A3.reconstruction");
  check->set_passed(true);
  return server;
}

Reconstruction Client() { return {.layer = 1, .elements = 3, .bitwise = true, .max_abs = 0, .mean_abs = 0}; }

TEST(VerifyReport, PassesWhenServerAndClientDo) {
  const v1::VerifyResponse server = Server();
  const VerifyReport report(server, {{Client()}, {}});
  EXPECT_TRUE(report.agree());
  EXPECT_TRUE(report.passed());
  EXPECT_THAT(report.Text(), HasSubstr("server and client agree on every layer's residual\nPASSED\n"));
  EXPECT_THAT(report.Text(), HasSubstr("H[L]~H[L+1]"));
}

TEST(VerifyReport, AnyDifferenceIsDisagreement) {
  const v1::VerifyResponse server = Server();
  Reconstruction other = Client();
  other.max_abs = 1e-12;
  other.bitwise = false;
  EXPECT_FALSE(VerifyReport(server, {{other}, {}}).agree());
  EXPECT_FALSE(VerifyReport(server, {{other}, {}}).passed());
  EXPECT_THAT(VerifyReport(server, {{other}, {}}).Text(), HasSubstr("DISAGREE"));
  EXPECT_FALSE(VerifyReport(server, {{}, {}}).agree()) << "a layer is missing";
}

TEST(VerifyReport, AgreeingOnAResidualIsNotPassing) {
  v1::VerifyResponse server = Server();
  server.mutable_layers(0)->set_bitwise(false);
  server.mutable_layers(0)->set_max_abs(0.5);
  Reconstruction own = Client();
  own.bitwise = false;
  own.max_abs = 0.5;
  const VerifyReport report(server, {{own}, {}});
  EXPECT_TRUE(report.agree());
  EXPECT_FALSE(report.passed());
}

TEST(VerifyReport, AFailedCheckIsExplained) {
  v1::VerifyResponse server = Server();
  server.set_passed(false);
  server.mutable_checks(0)->set_passed(false);
  server.mutable_checks(0)->set_detail("sums against states");
  const VerifyReport report(server, {{Client()}, {}});
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(report.Text(), HasSubstr("failed: A3.reconstruction: sums against states"));
  EXPECT_THAT(report.Text(), HasSubstr("FAILED"));
}

TEST(VerifyReport, JsonHoldsBothSides) {
  const v1::VerifyResponse server = Server();
  const auto json = nlohmann::json::parse(VerifyReport(server, {{Client()}, {}}).Json());
  EXPECT_EQ(json["server"]["layers"][0]["bitwise"], true);
  EXPECT_EQ(json["client"]["layers"][0]["layer"], 1);
  EXPECT_EQ(json["client"]["agrees"], true);
  EXPECT_EQ(json["passed"], true);
}

// What the sum at c_proj leaves in train mode.
Reconstruction Open() { return {.layer = 1, .elements = 3, .bitwise = false, .max_abs = 0.5, .mean_abs = 0.25}; }

TEST(VerifyReport, TrainModeShowsTheSumAfterTheDropoutsAndAtTheProjections) {
  const v1::VerifyResponse server = Server();
  const VerifyReport report(server, {{Client()}, {Open()}});
  EXPECT_TRUE(report.passed());
  EXPECT_THAT(report.Text(), HasSubstr("in train mode:\n"));
  EXPECT_THAT(report.Text(), HasSubstr("at c_proj, before them: bitwise"));
  EXPECT_THAT(report.Text(), HasSubstr("0.25"));
  const auto json = nlohmann::json::parse(report.Json());
  EXPECT_EQ(json["client"]["layers_at_c_proj"][0]["max_abs"], 0.5);
}

}  // namespace
}  // namespace hydrophone::client
