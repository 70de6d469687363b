#include "server/plan/select/selectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReadSelectorsTest : public ::testing::Test {
 protected:
  std::vector<Selector> Read(const std::string& text) {
    request_ = Parse<v1::ExtractRequest>(text);
    auto selectors = ReadSelectors(request_, /*runs=*/2, server_.context(), &violations_);
    EXPECT_TRUE(selectors.ok()) << selectors.status();
    return selectors.ok() ? *selectors : std::vector<Selector>();
  }

  FakeServer server_;
  Violations violations_;
  v1::ExtractRequest request_;
};

TEST_F(ReadSelectorsTest, PutsHookPointsFirst) {
  auto selectors = Read("hooks { hook_point: 'hook_mlp_out' } hook_points: 'hook_attn_out'");
  ASSERT_EQ(selectors.size(), 2u);
  EXPECT_EQ(selectors[0].info->site, Site::kAttnOut);
  EXPECT_EQ(selectors[0].path, "hook_points[0]");
  EXPECT_EQ(selectors[1].info->site, Site::kMlpOut);
  EXPECT_EQ(selectors[1].path, "hooks[0]");
}

TEST_F(ReadSelectorsTest, TakesLayersFromTheNameOrTheListOrAll) {
  auto selectors = Read(R"(
      hook_points: ['attn.c_proj', 'blocks.*.hook_attn_out', 'transformer.h.1.attn.c_proj', 'blocks.-1.hook_attn_out',
                    'hidden_states', 'hook_embed']
      hooks { hook_point: 'hook_attn_out' layers: [2, -3] })");
  EXPECT_THAT(selectors[0].layers, ElementsAre(0, 1, 2));
  EXPECT_THAT(selectors[1].layers, ElementsAre(0, 1, 2));
  EXPECT_THAT(selectors[2].layers, ElementsAre(1));
  EXPECT_THAT(selectors[3].layers, ElementsAre(2));
  EXPECT_THAT(selectors[4].layers, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(selectors[5].layers, ElementsAre(-1));
  EXPECT_THAT(selectors[6].layers, ElementsAre(2, 0));
}

TEST_F(ReadSelectorsTest, RefusesLayersThatCannotBe) {
  Read(R"(
      hook_points: 'blocks.3.hook_attn_out'
      hooks { hook_point: 'hook_attn_out' layers: [3, -4, 1, -2] }
      hooks { hook_point: 'blocks.*.hook_attn_out' layers: 0 }
      hooks { hook_point: 'hook_embed' layers: 0 })");
  EXPECT_THAT(Lines(violations_),
              ElementsAre("hook_points[0]: got layer 3, expected -3 to 2",
                          "hooks[0].layers[0]: got 3, expected -3 to 2", "hooks[0].layers[1]: got -4, expected -3 to 2",
                          "hooks[0].layers[3]: got layer 1 again, expected each layer once",
                          "hooks[1].layers: got layers beside the one in the name, expected none",
                          "hooks[2].layers: got layers for a point outside the blocks, expected none"));
}

TEST_F(ReadSelectorsTest, APatternBecomesASelectorOfEachPointWithOneNumber) {
  auto selectors = Read(R"(hook_points: ['hook_embed', 'blocks.{0,2}.hook_{attn,mlp}_out', 'logits']
                           metrics { key: 'loss' next_token_loss {} })");
  ASSERT_EQ(selectors.size(), 5u);
  EXPECT_EQ(selectors[1].info->site, Site::kAttnOut);
  EXPECT_EQ(selectors[2].info->site, Site::kMlpOut);
  EXPECT_THAT(selectors[2].layers, ElementsAre(0, 2));
  std::vector<uint32_t> numbers;
  for (const Selector& selector : selectors) numbers.push_back(selector.number);
  EXPECT_THAT(numbers, ElementsAre(0, 1, 1, 2, 3));
  EXPECT_EQ(selectors[2].asked_name, "blocks.{0,2}.hook_{attn,mlp}_out");
  EXPECT_EQ(selectors[4].asked_name, "loss");
}

TEST_F(ReadSelectorsTest, RefusesLayersBesideAPattern) {
  Read("hooks { hook_point: '*.hook_resid_post' layers: 1 }");
  EXPECT_THAT(Lines(violations_), ElementsAre("hooks[0].layers: got layers beside the one in the name, expected none"));
}

TEST_F(ReadSelectorsTest, NamesUnknownPointsWithTheNearest) {
  Read("hook_points: 'attn.c_prj' hooks {}");
  EXPECT_THAT(Lines(violations_), ElementsAre(HasSubstr("attn.c_proj"), HasSubstr("hooks[0].hook_point: ")));
}

TEST_F(ReadSelectorsTest, TakesTheRequestsViewUnlessItHasItsOwn) {
  auto selectors = Read(
      "view: VIEW_SUMMARY hook_points: 'hook_embed' hooks { hook_point: 'hook_embed' view: "
      "VIEW_FLOATS }");
  EXPECT_EQ(selectors[0].view, v1::VIEW_SUMMARY);
  EXPECT_EQ(selectors[1].view, v1::VIEW_FLOATS);
  EXPECT_EQ(Read("hook_points: 'hook_embed'")[0].view, v1::VIEW_BYTES);
}

TEST_F(ReadSelectorsTest, RefusesSummaryOptionsWithoutASummary) {
  Read("hooks { hook_point: 'hook_embed' summary {} }");
  EXPECT_THAT(Lines(violations_), ElementsAre("hooks[0].summary: got it with VIEW_BYTES, expected VIEW_SUMMARY"));
}

TEST_F(ReadSelectorsTest, KeepsRunsInOrderAndRefusesBadOnes) {
  auto selectors = Read("hooks { hook_point: 'hook_embed' runs: [1, 0] }");
  EXPECT_THAT(selectors[0].runs, ElementsAre(1, 0));
  Read("hooks { hook_point: 'hook_embed' runs: [1, 2, 1] }");
  EXPECT_THAT(Lines(violations_), ElementsAre("hooks[0].runs[1]: got 2, expected an index below 2",
                                              "hooks[0].runs[2]: got 1 again, expected each run once"));
}

TEST_F(ReadSelectorsTest, RefusesARequestThatCapturesNothing) {
  Read("");
  EXPECT_THAT(Lines(violations_),
              ElementsAre("hooks: got nothing to capture, expected at least one of hook_points, hooks and metrics"));
}

TEST_F(ReadSelectorsTest, MetricsComeLastAndAreEnough) {
  auto selectors = Read("metrics { next_token_loss {} } hooks { hook_point: 'hook_embed' }");
  ASSERT_EQ(selectors.size(), 2u);
  EXPECT_EQ(selectors[1].path, "metrics[0]");
  EXPECT_EQ(Read("metrics { next_token_loss {} }").size(), 1u);
  EXPECT_TRUE(violations_.empty());
}

TEST_F(ReadSelectorsTest, RefusesMoreHooksThanTheLimit) {
  server_.limits.max_hooks_per_request = 1;
  auto request = Parse<v1::ExtractRequest>("hook_points: 'hook_embed' metrics { next_token_loss {} }");
  absl::Status status = ReadSelectors(request, 2, server_.context(), &violations_).status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
}

}  // namespace
}  // namespace hydrophone
