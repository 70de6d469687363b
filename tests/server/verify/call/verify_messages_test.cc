#include "server/verify/call/verify_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "google/protobuf/text_format.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

TEST(VerifyMessagesTest, TellsEverythingThatTheReportHolds) {
  VerifyReport report;
  report.passed = true;
  report.checks = {{"B3.ln_f", true, "largest difference", 0.25, 0.5, "why"}};
  LayerReport layer;
  layer.layer = 10;
  layer.max_abs = 0.125;
  layer.mean_abs = 0.0625;
  layer.correlations = {{"attn~mlp", 0.5, -0.5}};
  layer.mask = {8, 2, {{3, 2}}, {{7, 1}, {9, 1}}};
  report.layers = {layer};
  report.final_state = {1, 2, 3, {4, 5}, 6, "note", {}};

  v1::VerifyResponse response, expected;
  FillReport(report, 2, &response);
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
      passed: true
      checks { name: "B3.ln_f" passed: true measure: "largest difference" value: 0.25 tolerance: 0.5 detail: "why" }
      layers {
        layer: 10 bitwise: true max_abs: 0.125 mean_abs: 0.0625
        correlations { name: "attn~mlp" r: 0.5 r_masked: -0.5 }
        mask { total: 8 hidden: 2 hidden_share: 0.25 positions { index: 3 hidden: 2 }
               dimensions { index: 7 hidden: 1 } dimensions { index: 9 hidden: 1 } }
      }
      final_state { max_abs_input_difference: 1 max_abs_raw_difference: 2
                    max_abs_ln_f_difference: 3 raw_profile_norms: [4, 5] normalised_norm: 6
                    profile_note: "note" })",
                                                            &expected));
  EXPECT_EQ(response.DebugString(), expected.DebugString());
}

TEST(VerifyMessagesTest, IsBitwiseOnlyWhenNoElementDiffers) {
  VerifyReport report;
  report.layers.resize(1);
  report.layers[0].different_elements = 1;
  v1::VerifyResponse response;
  FillReport(report, 2, &response);
  EXPECT_FALSE(response.layers(0).bitwise());
}

TEST(VerifyMessagesTest, KeepsNotANumber) {
  VerifyReport report;
  report.layers.resize(1);
  report.layers[0].correlations = {{"", std::numeric_limits<double>::quiet_NaN(), 1}};
  v1::VerifyResponse response;
  FillReport(report, 2, &response);
  EXPECT_TRUE(std::isnan(response.layers(0).correlations(0).r()));
  EXPECT_EQ(response.layers(0).mask().hidden_share(), 0);
}

TEST(VerifyMessagesTest, SendsResidualsAsLittleEndianRows) {
  VerifyReport report;
  report.layers.resize(1);
  report.layers[0].residual = {1, 0, 0, -2, 0, 0};
  report.final_state.ln_f_residual = {1, 2};
  v1::VerifyResponse response;
  FillReport(report, 2, &response);
  const v1::Tensor& residual = response.layers(0).residual();
  EXPECT_EQ(residual.dtype(), v1::DTYPE_FLOAT32);
  EXPECT_THAT(residual.shape(), ElementsAre(3, 2));
  EXPECT_EQ(residual.data(), std::string("\0\0\x80\x3f\0\0\0\0\0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0\0", 24));
  EXPECT_THAT(response.final_state().ln_f_residual().shape(), ElementsAre(1, 2));
}

}  // namespace
}  // namespace hydrophone
