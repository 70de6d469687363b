#include "server/plan/select/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_server.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Reads against the fake model's three blocks.
std::vector<int> Read(const std::string& name, std::vector<int32_t> listed, Violations* violations) {
  const google::protobuf::RepeatedField<int32_t> list(listed.begin(), listed.end());
  absl::StatusOr<HookName> parsed = ParseHookName(name);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return ReadLayers(*parsed, list, {"hook", "layers"}, FakeServer().model, violations);
}

std::vector<int> LayersOf(const std::string& name, std::vector<int32_t> listed) {
  Violations violations;
  std::vector<int> layers = Read(name, std::move(listed), &violations);
  EXPECT_THAT(Lines(violations), IsEmpty());
  return layers;
}

std::vector<std::string> Refusals(const std::string& name, std::vector<int32_t> listed) {
  Violations violations;
  Read(name, std::move(listed), &violations);
  return Lines(violations);
}

TEST(ReadLayers, WithoutAnyAllAreMeant) { EXPECT_THAT(LayersOf("attn.hook_z", {}), ElementsAre(0, 1, 2)); }

TEST(ReadLayers, StatesHaveOneMoreThanBlocks) { EXPECT_THAT(LayersOf("hidden_states", {}), ElementsAre(0, 1, 2, 3)); }

TEST(ReadLayers, NegativeOnesCountFromTheEnd) {
  EXPECT_THAT(LayersOf("blocks.-1.hook_attn_out", {}), ElementsAre(2));
  EXPECT_THAT(LayersOf("hook_attn_out", {-3, 2}), ElementsAre(0, 2));
}

TEST(ReadLayers, APointOutsideTheBlocksHasNone) { EXPECT_THAT(LayersOf("hook_embed", {}), ElementsAre(-1)); }

TEST(ReadLayers, NamesEachListedLayerOutOfRangeOrTwiceThere) {
  EXPECT_THAT(
      Refusals("hook_attn_out", {3, 1, -2}),
      ElementsAre("layers[0]: got 3, expected -3 to 2", "layers[2]: got layer 1 again, expected each layer once"));
}

TEST(ReadLayers, RefusesALayerOutOfRangeInTheName) {
  EXPECT_THAT(Refusals("blocks.3.hook_attn_out", {}), ElementsAre("hook: got layer 3, expected -3 to 2"));
}

TEST(ReadLayers, ANameMayListThem) {
  EXPECT_THAT(LayersOf("blocks.{-1,0}.hook_attn_out", {}), ElementsAre(2, 0));
  EXPECT_THAT(Refusals("blocks.{0,3,-3}.hook_attn_out", {}),
              ElementsAre("hook: got 3, expected -3 to 2", "hook: got layer 0 again, expected each layer once"));
}

TEST(ReadLayers, RefusesAListBesideALayerInTheName) {
  EXPECT_THAT(Refusals("blocks.*.hook_attn_out", {1}),
              ElementsAre("layers: got layers beside the one in the name, expected none"));
}

TEST(ReadLayers, RefusesAListOutsideTheBlocks) {
  EXPECT_THAT(Refusals("hook_embed", {0}),
              ElementsAre("layers: got layers for a point outside the blocks, expected none"));
}

}  // namespace
}  // namespace hydrophone
