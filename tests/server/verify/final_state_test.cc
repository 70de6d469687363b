#include "server/verify/final_state.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Floats = std::vector<float>;

// Two blocks, width 2, two tokens; everything as it should be.
struct States {
  Floats h0 = {3, 4, 0, 0}, h1 = {6, 8, 0, 5}, raw = {30, 40, 9, 12}, normalised = {-1, 1, -1, 1};
  Floats in0 = h0, in1 = h1, ln_f = normalised;

  FinalStateArrays arrays() const { return {{h0, h1, normalised}, {in0, in1}, raw, ln_f}; }
  FinalStateReport Report(bool keep = false) const { return MakeFinalStateReport(arrays(), 2, keep); }
  std::vector<std::string> Failed() const {
    std::vector<std::string> names;
    for (const Check& check : FinalStateChecks(arrays(), Report())) {
      if (!check.passed) names.push_back(check.name);
    }
    return names;
  }
};

TEST(FinalStateTest, MeasuresTheThreeDifferences) {
  States states;
  FinalStateReport report = states.Report();
  EXPECT_EQ(report.max_abs_input_difference, 0);
  EXPECT_EQ(report.max_abs_raw_difference, 39);  // 40 against 1
  EXPECT_EQ(report.max_abs_ln_f_difference, 0);
  EXPECT_THAT(states.Failed(), IsEmpty());
}

TEST(FinalStateTest, TheProfileIsRawThroughout) {
  FinalStateReport report = States().Report();
  EXPECT_THAT(report.raw_profile_norms, ElementsAre(2.5, 7.5, 32.5));  // means of (5, 0), (10, 5), (50, 15)
  EXPECT_DOUBLE_EQ(report.normalised_norm, std::sqrt(2.0));
  EXPECT_THAT(report.profile_note, HasSubstr("hidden_states[2] is after ln_f"));
  EXPECT_THAT(report.profile_note, HasSubstr("32.5"));
  EXPECT_THAT(report.profile_note, HasSubstr("blocks.1.hook_resid_post"));
}

TEST(FinalStateTest, ABlockInputThatIsNotTheHiddenStateFailsB1) {
  States states;
  states.in1[3] = 5.5;
  EXPECT_EQ(states.Report().max_abs_input_difference, 0.5);
  EXPECT_THAT(states.Failed(), ElementsAre("B1.block_inputs"));
}

TEST(FinalStateTest, ASignOfZeroFailsB1) {
  States states;
  states.in0[2] = -0.0f;
  EXPECT_EQ(states.Report().max_abs_input_difference, 0);
  EXPECT_THAT(states.Failed(), ElementsAre("B1.block_inputs"));
}

TEST(FinalStateTest, ARawStateInTheNormalisedOnesPlaceFailsB2AndB3) {
  States states;
  states.normalised = states.raw;
  EXPECT_EQ(states.Report().max_abs_raw_difference, 0);
  EXPECT_THAT(states.Failed(), ElementsAre("B2.raw_is_not_normalised", "B3.ln_f"));
}

TEST(FinalStateTest, OtherWeightsInLnFFailB3) {
  States states;
  states.ln_f[1] = std::nextafter(1.0f, 2.0f);
  EXPECT_EQ(states.Report().max_abs_ln_f_difference, std::ldexp(1.0, -23));
  EXPECT_THAT(states.Failed(), ElementsAre("B3.ln_f"));
}

TEST(FinalStateTest, NotANumberPassesNothing) {
  States states;
  states.in0[0] = states.h0[0] = states.ln_f[0] = states.normalised[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(states.Report().max_abs_input_difference));
  EXPECT_THAT(states.Failed(), ElementsAre("B1.block_inputs", "B3.ln_f"));
}

TEST(FinalStateTest, TheResidualComesOnlyWhenAskedFor) {
  States states;
  states.ln_f[2] = 4;
  EXPECT_THAT(states.Report().ln_f_residual, IsEmpty());
  EXPECT_THAT(states.Report(true).ln_f_residual, ElementsAre(0, 0, 5, 0));
}

TEST(MeanNormTest, AveragesRowsNorms) {
  EXPECT_DOUBLE_EQ(MeanNorm({3, 4, 0, 1, 2, 2, 0, 0, 5}, 3), 4.333333333333333);  // NumPy's
  EXPECT_NEAR(MeanNorm({3e30f, 4e30f}, 2) / 5e30, 1, 1e-7);                       // squares beyond float32
  EXPECT_TRUE(std::isnan(MeanNorm({}, 3)));
}

}  // namespace
}  // namespace hydrophone
