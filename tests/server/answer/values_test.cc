// Captures that come as Values: scores, comparisons and summaries; and captures in narrow types.
#include "server/answer/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "server/answer/frames.h"
#include "server/base/half.h"
#include "server/plan/captures/values_size.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/host_tensors.h"
#include "tests/fakes/text_message.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kRoomy = 1 << 20;
constexpr float kInf = std::numeric_limits<float>::infinity();

class ValuesTest : public ::testing::Test {
 protected:
  void Plan(const std::string& text) {
    absl::StatusOr<ExtractCall> call = PlanExtract(Parse<v1::ExtractRequest>(text), "sha", server_.context());
    ASSERT_TRUE(call.ok()) << call.status();
    call_ = *call;
  }

  // The messages of a capture with these elements (0, 1, 2, ... when there are none).
  std::vector<v1::ExtractResponse> Encode(size_t capture, std::vector<float> elements = {},
                                          uint64_t max_message_bytes = kRoomy) {
    const int64_t count = call_.plan.captures.at(capture).Elements();
    EXPECT_TRUE(elements.empty() || elements.size() == static_cast<size_t>(count)) << count;
    TensorView view = elements.empty() ? CountingTensor({count}) : TensorOf({count}, elements);
    CaptureFrames frames(call_, capture, view, max_message_bytes);
    std::vector<v1::ExtractResponse> messages;
    while (std::optional<Frame> frame = frames.Next()) {
      std::string bytes = frame->head;
      if (frame->tail_size > 0) bytes.append(reinterpret_cast<const char*>(frame->tail), frame->tail_size);
      EXPECT_TRUE(messages.emplace_back().ParseFromString(bytes));
      EXPECT_LE(bytes.size(), max_message_bytes);
    }
    nonfinite_ = frames.nonfinite();
    return messages;
  }

  FakeServer server_;
  ExtractCall call_;
  uint64_t nonfinite_ = 0;
};

std::vector<uint16_t> Elements(const std::string& bytes) {
  std::vector<uint16_t> elements(bytes.size() / 2);
  std::memcpy(elements.data(), bytes.data(), bytes.size());
  return elements;
}

TEST_F(ValuesTest, HalvesAreRoundedAndDescribed) {
  Plan("texts: 'a' dtype: DTYPE_FLOAT16 hook_points: 'hook_embed'");
  v1::Chunk chunk = Encode(0, {0, 1, -2, 0.1f, 65504, 1e9f, 1e-9f, -0.0f}).at(0).chunk();
  EXPECT_EQ(chunk.info().dtype(), v1::DTYPE_FLOAT16);
  EXPECT_THAT(chunk.info().shape(), ElementsAre(1, 8));
  EXPECT_THAT(Elements(chunk.data()), ElementsAre(0, 0x3C00, 0xC000, 0x2E66, 0x7BFF, 0x7C00, 0, 0x8000));
  EXPECT_EQ(chunk.crc32(), crc32(0, reinterpret_cast<const Bytef*>(chunk.data().data()), 16));
}

TEST_F(ValuesTest, BfloatsAreRoundedAndDescribed) {
  Plan("texts: 'a' hooks { hook_point: 'hook_embed' dtype: DTYPE_BFLOAT16 units { features: [0, 1, 2] } }");
  v1::Chunk chunk = Encode(0, {1, -2, 0.1f}).at(0).chunk();
  EXPECT_EQ(chunk.info().dtype(), v1::DTYPE_BFLOAT16);
  EXPECT_THAT(Elements(chunk.data()), ElementsAre(0x3F80, 0xC000, 0x3DCD));
}

TEST_F(ValuesTest, NonfiniteValuesAreCountedBeforeTheyAreRounded) {
  Plan("texts: 'a' dtype: DTYPE_FLOAT16 hook_points: 'hook_embed'");
  Encode(0, {0, 1e9f, kInf, 3, -kInf, 5, 6, 7});
  EXPECT_EQ(nonfinite_, 2u);
}

TEST_F(ValuesTest, EveryMessageSizeGivesTheSameHalves) {
  server_.model.n_embd = 24;
  Plan("texts: ['abc', 'defghi'] dtype: DTYPE_FLOAT16 hook_points: 'hook_embed' layout: LAYOUT_ROWS");
  for (uint64_t max : {130u, 150u, 200u, 300u, 1000u}) {
    std::string joined;
    for (const auto& message : Encode(0, {}, max)) {
      EXPECT_EQ(message.chunk().offset(), joined.size());
      EXPECT_EQ(message.chunk().crc32(), crc32(0, reinterpret_cast<const Bytef*>(message.chunk().data().data()),
                                               static_cast<uInt>(message.chunk().data().size())));
      joined += message.chunk().data();
    }
    std::vector<uint16_t> expected;
    for (int i = 0; i < 9 * 24; ++i) expected.push_back(HalfOf(static_cast<float>(i)));
    EXPECT_EQ(Elements(joined), expected) << max;
  }
}

TEST_F(ValuesTest, CutsHalvesBetweenRows) {
  Plan("texts: 'abcdef' dtype: DTYPE_FLOAT16 hook_points: 'hook_embed'");
  for (const auto& message : Encode(0, {}, 160)) EXPECT_EQ(message.chunk().data().size() % 16, 0u);
}

TEST_F(ValuesTest, ReducedRowsOfAllRunsAreOneEach) {
  Plan("texts: ['abc', 'de'] layout: LAYOUT_ROWS hooks { hook_point: 'hook_embed' reduction: REDUCTION_MEAN }");
  v1::Chunk chunk = Encode(0).at(0).chunk();
  EXPECT_THAT(chunk.info().shape(), ElementsAre(2, 8));
  EXPECT_THAT(chunk.info().rows(), ElementsAre(1, 1));
  EXPECT_EQ(chunk.data().size(), call_.data_bytes);
}

TEST_F(ValuesTest, ReducedRowsAreATensorOfEachRun) {
  Plan("texts: ['abc', 'de'] hooks { hook_point: 'hook_embed' reduction: REDUCTION_MAX view: VIEW_FLOATS }");
  std::vector<v1::ExtractResponse> messages = Encode(0);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_THAT(messages[1].values().info().shape(), ElementsAre(1, 8));
  EXPECT_EQ(messages[1].values().floats(0), 8);
}

TEST_F(ValuesTest, PatternsOfRunsOfOtherLengthsComeUnpadded) {
  Plan("texts: ['abc', 'de'] hooks { hook_point: 'blocks.0.attn.hook_pattern' }");
  std::vector<v1::ExtractResponse> messages = Encode(0);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_THAT(messages[0].chunk().info().shape(), ElementsAre(2, 3, 3));
  EXPECT_THAT(messages[1].chunk().info().shape(), ElementsAre(2, 2, 2));
  EXPECT_EQ(messages[1].chunk().data().size(), 8u * 4);
}

TEST_F(ValuesTest, SummariesHaveWhatWasAsked) {
  Plan(
      "texts: 'ab' hooks { hook_point: 'hook_embed' view: VIEW_SUMMARY summary { threshold: 11 top_k: 2 quantiles: "
      "[0.5, 1] } }");
  v1::Summary summary = Encode(0).at(0).values().summary();
  EXPECT_EQ(summary.count(), 16u);
  EXPECT_EQ(summary.share_above(), 0.25);
  EXPECT_THAT(summary.quantiles(), ElementsAre(7.5, 15));
  ASSERT_EQ(summary.top_size(), 2);
  EXPECT_EQ(summary.top(0).value(), 15);
  EXPECT_THAT(summary.top(0).index(), ElementsAre(1, 7));
  EXPECT_THAT(summary.top(1).index(), ElementsAre(1, 6));
}

TEST_F(ValuesTest, SummariesHaveNoMoreThanWasAsked) {
  Plan("texts: 'ab' hook_points: 'hook_embed' view: VIEW_SUMMARY");
  v1::Summary summary = Encode(0).at(0).values().summary();
  EXPECT_FALSE(summary.has_share_above());
  EXPECT_EQ(summary.top_size() + summary.quantiles_size(), 0);
}

TEST_F(ValuesTest, PlacesHaveAnIndexInEachDimension) {
  Plan("texts: 'ab' hooks { hook_point: 'blocks.0.attn.hook_q' view: VIEW_SUMMARY summary { top_k: 1 } }");
  std::vector<float> elements(16);
  elements[8 + 4 + 2] = -9;  // position 1, head 1, feature 2
  v1::Summary summary = Encode(0, elements).at(0).values().summary();
  EXPECT_EQ(summary.top(0).value(), -9);
  EXPECT_THAT(summary.top(0).index(), ElementsAre(1, 1, 2));
}

TEST_F(ValuesTest, ALensNamesItsTokens) {
  Plan(
      "texts: ['', 'abc', 'de'] skip_bad_inputs: true "
      "hooks { hook_point: 'blocks.1.hook_resid_mid' positions { at: -1 } logit_lens { top_k: 1 token_ids: 256 } }");
  std::vector<v1::ExtractResponse> messages =
      Encode(0, {65, 2.5f, -0.5f, 0, 256, -1, -4, 200, 66, 3.5f, -0.25f, 0, 256, -2, -5, 100});
  ASSERT_EQ(messages.size(), 2u);
  const v1::Values& values = messages[1].values();
  EXPECT_EQ(values.tensor(), 1u);
  EXPECT_EQ(values.info().name(), "blocks.1.hook_resid_mid");
  EXPECT_EQ(values.info().layer(), 1);
  EXPECT_THAT(values.info().runs(), ElementsAre(2));
  EXPECT_THAT(values.info().shape(), ElementsAre(1, 2));
  ASSERT_EQ(values.scores_size(), 2);
  EXPECT_EQ(values.scores(0).run(), 2u);
  EXPECT_EQ(values.scores(0).position(), 1u);
  EXPECT_EQ(values.scores(0).token_id(), 66u);
  EXPECT_EQ(values.scores(0).piece(), "B");
  EXPECT_EQ(values.scores(0).value(), 3.5f);
  EXPECT_EQ(values.scores(0).logprob(), -0.25f);
  EXPECT_EQ(values.scores(0).rank(), 0u);
  EXPECT_EQ(values.scores(1).piece(), "<|endoftext|>");
  EXPECT_EQ(values.scores(1).rank(), 100u);
  EXPECT_EQ(values.scores(0).metric(), "");
}

TEST_F(ValuesTest, ALensHasItsNumbersAfterItsTokens) {
  Plan(
      "texts: 'ab' hooks { hook_point: 'blocks.1.hook_resid_mid' positions { at: -1 } "
      "logit_lens { token_ids: 65 entropy: true final_divergence: true } }");
  const v1::Values values = Encode(0, {65, 2.5f, -0.5f, 3, 0, 1.25f, 0, 0, 0, 0.75f, 0, 0}).at(0).values();
  EXPECT_THAT(values.info().shape(), ElementsAre(1, 3));
  EXPECT_FALSE(values.info().lens_logits());
  ASSERT_EQ(values.scores_size(), 3);
  EXPECT_EQ(values.scores(0).ShortDebugString(),
            "position: 1 token_id: 65 piece: \"A\" value: 2.5 logprob: -0.5 rank: 3");
  EXPECT_EQ(values.scores(1).ShortDebugString(), "position: 1 value: 1.25 metric: \"entropy\"");
  EXPECT_EQ(values.scores(2).ShortDebugString(), "position: 1 value: 0.75 metric: \"final_divergence\"");
}

TEST_F(ValuesTest, ALoneDivergenceIsNotTakenForAnEntropy) {
  Plan("texts: 'a' hooks { hook_point: 'hook_resid_mid' layers: 0 logit_lens { final_divergence: true } }");
  EXPECT_EQ(Encode(0, {0, 0.75f, 0, 0}).at(0).values().scores(0).metric(), "final_divergence");
}

TEST_F(ValuesTest, AllLogitsOfALensComeInChunksThatSayWhatTheyAre) {
  Plan("texts: 'a' hooks { hook_point: 'blocks.1.hook_resid_mid' logit_lens { logits: true } }");
  const std::vector<v1::ExtractResponse> messages = Encode(0, {}, 300);
  EXPECT_GT(messages.size(), 1u);
  EXPECT_TRUE(messages[0].chunk().info().lens_logits());
  EXPECT_EQ(messages[0].chunk().info().name(), "blocks.1.hook_resid_mid");
  EXPECT_THAT(messages[0].chunk().info().shape(), ElementsAre(1, 257));
  Plan("texts: 'a' hook_points: 'blocks.1.hook_resid_mid'");
  EXPECT_FALSE(Encode(0).at(0).chunk().info().lens_logits());
}

TEST_F(ValuesTest, ScoresKnowTheirPositions) {
  Plan(
      "texts: ['abc', 'de'] hooks { hook_point: 'blocks.1.hook_resid_mid' positions { slice: '::-1' } logit_lens { "
      "token_ids: 1 } }");
  std::vector<uint32_t> positions;
  for (const auto& message : Encode(0)) {
    for (const v1::Score& score : message.values().scores()) positions.push_back(score.position());
  }
  EXPECT_THAT(positions, ElementsAre(2, 1, 0, 1, 0));
}

TEST_F(ValuesTest, ATokenThatTheTokenizerDoesNotHaveIsSentWithoutAPiece) {
  server_.model.vocab_size = 300;
  Plan("texts: 'a' hooks { hook_point: 'logits' logit_lens { top_k: 1 } }");
  const v1::Score score = Encode(0, {299, 1, -1, 0}).at(0).values().scores(0);
  EXPECT_EQ(score.token_id(), 299u);
  EXPECT_EQ(score.piece(), "");
}

TEST_F(ValuesTest, AMetricHasItsKeyAndAValueForEachPosition) {
  Plan("texts: ['abc', 'de'] metrics { key: 'loss' next_token_loss {} }");
  std::vector<v1::ExtractResponse> messages = Encode(0, {0.5f, 1.5f, 2.5f});
  ASSERT_EQ(messages.size(), 2u);
  const v1::Values& values = messages[0].values();
  EXPECT_EQ(values.info().name(), "logits");
  EXPECT_THAT(values.info().shape(), ElementsAre(2));
  ASSERT_EQ(values.scores_size(), 2);
  EXPECT_EQ(values.scores(1).metric(), "loss");
  EXPECT_EQ(values.scores(1).value(), 1.5f);
  EXPECT_EQ(values.scores(1).position(), 1u);
  EXPECT_EQ(messages[1].values().scores(0).run(), 1u);
  EXPECT_EQ(messages[1].values().scores(0).value(), 2.5f);
}

TEST_F(ValuesTest, ScoresOfNoPositionsAreNone) {
  Plan("texts: 'abc' hooks { hook_point: 'logits' positions { slice: '9:' } logit_lens { top_k: 1 } }");
  EXPECT_EQ(Encode(0).at(0).values().scores_size(), 0);
}

TEST_F(ValuesTest, AComparisonNamesBothRunsAndSendsNoElements) {
  Plan(
      "texts: ['', 'abc'] skip_bad_inputs: true runs {} runs { input: 1 } runs { input: 1 baseline: 1 } "
      "hooks { hook_point: 'hook_embed' runs: 2 positions { at: 0 } units { features: [0, 1] } "
      "        dtype: DTYPE_FLOAT16 }");
  const v1::Values values = Encode(0, {3, 4, 0, 4}).at(0).values();
  EXPECT_THAT(values.info().runs(), ElementsAre(2));
  EXPECT_EQ(values.info().baseline(), 1u);
  EXPECT_THAT(values.info().shape(), ElementsAre(1, 2));
  EXPECT_THAT(values.info().rows(), IsEmpty());
  EXPECT_EQ(values.info().dtype(), v1::DTYPE_FLOAT32);
  EXPECT_EQ(values.comparison().difference_l2(), 3);
  EXPECT_EQ(values.comparison().run_l2(), 5);
  EXPECT_EQ(values.comparison().baseline_l2(), 4);
  EXPECT_DOUBLE_EQ(values.comparison().cosine(), 0.8);
  EXPECT_EQ(values.comparison().count(), 2u);
  EXPECT_EQ(values.floats_size(), 0);
}

TEST_F(ValuesTest, AComparisonCountsBothRunsNonfiniteValues) {
  Plan(
      "texts: 'a' runs {} runs { baseline: 0 } "
      "hooks { hook_point: 'hook_embed' runs: 1 units { features: [0, 1, 2] } }");
  const v1::Comparison comparison = Encode(0, {1, kInf, 2, kInf, kInf, 3}).at(0).values().comparison();
  EXPECT_EQ(comparison.nonfinite(), 2u);
  EXPECT_EQ(nonfinite_, 3u);
}

TEST_F(ValuesTest, OtherTensorsNameNoBaseline) {
  Plan("texts: 'a' runs {} runs { baseline: 0 } hook_points: 'hook_embed'");
  EXPECT_FALSE(Encode(0).at(0).chunk().info().has_baseline());
  EXPECT_TRUE(Encode(1).at(0).values().info().has_baseline());
}

// The planner refuses what exceeds these bounds, so no message may exceed them.
TEST_F(ValuesTest, ScoresFitIntoTheSizeThatThePlannerKnows) {
  Plan("texts: 'abcdefghijkl' hooks { hook_point: 'logits' logit_lens { top_k: 40 token_ids: [256, 255] } }");
  std::vector<float> numbers;
  for (int row = 0; row < 12; ++row) {
    for (int i = 0; i < 42; ++i) {
      for (float field : {static_cast<float>(256 - i), -1.5f, -2.5f, 256.0f}) numbers.push_back(field);
    }
  }
  const uint64_t size = Encode(0, numbers).at(0).ByteSizeLong();
  EXPECT_LE(size, ScoresSize(server_.tokenizer).Bytes(*call_.plan.captures[0].readout, 12, ""));
}

TEST_F(ValuesTest, MetricsFitIntoTheSizeThatThePlannerKnows) {
  const std::string key(256, 'k');
  Plan(absl::StrCat("texts: 'abcdefghijkl' metrics { next_token_loss {} key: '", key, "' }"));
  EXPECT_LE(Encode(0).at(0).ByteSizeLong(),
            ScoresSize(server_.tokenizer).Bytes(*call_.plan.captures[0].readout, 11, key));
}

TEST_F(ValuesTest, SummariesFitIntoTheSizeThatThePlannerKnows) {
  Plan(
      "texts: ['abc', 'defg'] layout: LAYOUT_ROWS view: VIEW_SUMMARY hooks { hook_point: 'hook_embed' runs: [1, 0] "
      "summary { threshold: 1 top_k: 50 quantiles: [0, 0.5, 1] } }");
  EXPECT_LE(Encode(0).at(0).ByteSizeLong(), SummaryBytes(*call_.formats[0].summary, 7 * 8, 2));
}

}  // namespace
}  // namespace hydrophone
