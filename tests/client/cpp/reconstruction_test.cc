#include "client/cpp/reconstruction.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_service.h"

namespace hydrophone::client {
namespace {

TEST(Reconstruct, AddsInTheOrderThatIsExact) {
  // (1 + 1e8) + -1e8 is 0 in float32; 1 + (1e8 + -1e8) is 1.
  const Reconstruction result = Reconstruct({1.0F}, {1e8F}, {-1e8F}, {0.0F});
  EXPECT_TRUE(result.bitwise);
  EXPECT_EQ(result.max_abs, 0.0);
}

TEST(Reconstruct, MeasuresTheResidual) {
  const Reconstruction result = Reconstruct({1, 2}, {1, 1}, {1, 1}, {3.5F, 4});
  EXPECT_FALSE(result.bitwise);
  EXPECT_EQ(result.max_abs, 0.5);
  EXPECT_EQ(result.mean_abs, 0.25);
  EXPECT_EQ(result.elements, 2u);
}

TEST(Reconstruct, EqualButNotTheSameBitsIsNotBitwise) {
  const Reconstruction result = Reconstruct({0.0F}, {0.0F}, {0.0F}, {-0.0F});
  EXPECT_FALSE(result.bitwise);
  EXPECT_EQ(result.max_abs, 0.0);
}

TEST(Reconstruct, NotANumberIsNoSmallResidual) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(Reconstruct({nan}, {0}, {0}, {1}).max_abs));
}

std::vector<v1::Input> Inputs() {
  std::vector<v1::Input> inputs(2);
  inputs[0].set_text("hello");
  inputs[1].set_text("x");
  return inputs;
}

TEST(ReconstructLayers, ClosesTheEquationFromTwoExtracts) {
  FakeService service;
  const auto results = ReconstructLayers(*service.Connect(), Inputs(), {0, 1});
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 2u);
  for (const Reconstruction& result : *results) {
    EXPECT_TRUE(result.bitwise) << result.layer;
    EXPECT_EQ(result.elements, 6 * kToyWidth);
  }
  EXPECT_EQ(service.requests().size(), 2u);
}

TEST(ReconstructLayers, AWrongDeltaShows) {
  FakeService service;
  service.on_extract = [](v1::ExtractRequest request) {
    if (request.hooks(0).hook_point() == "attn.c_proj") request.mutable_hooks(0)->set_layers(0, 1);
    return Script{ToyStream(request), grpc::Status::OK};
  };
  const auto results = ReconstructLayers(*service.Connect(), Inputs(), {0});
  EXPECT_TRUE(absl::IsDataLoss(results.status())) << "the layer asked for did not come";
}

TEST(ReconstructLayers, InTrainModeTheSumClosesAfterTheDropouts) {
  FakeService service;
  const auto after = ReconstructLayers(*service.Connect(), Inputs(), {0, 1}, {Deltas::kDropped, 7});
  const auto before = ReconstructLayers(*service.Connect(), Inputs(), {0, 1}, {Deltas::kProjected, 7});
  ASSERT_TRUE(after.ok() && before.ok());
  EXPECT_TRUE((*after)[1].bitwise);
  EXPECT_FALSE((*before)[1].bitwise);
  for (const v1::ExtractRequest& request : service.requests()) EXPECT_EQ(request.train_seed(), 7u);
}

TEST(ReconstructLayers, SplitRequestsGiveTheSame) {
  FakeService service;
  service.model.mutable_limits()->set_max_inputs_per_request(1);
  const auto results = ReconstructLayers(*service.Connect(), Inputs(), {1});
  ASSERT_TRUE(results.ok());
  EXPECT_TRUE((*results)[0].bitwise);
  EXPECT_EQ((*results)[0].elements, 6 * kToyWidth);
  EXPECT_EQ(service.requests().size(), 4u);
}

}  // namespace
}  // namespace hydrophone::client
