#include "server/answer/frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

class FramesTest : public ::testing::Test {
 protected:
  ExtractCall Plan(const std::string& text) {
    absl::StatusOr<ExtractCall> call =
        PlanExtract(Parse<v1::ExtractRequest>(text), "request-digest", server_.context());
    EXPECT_TRUE(call.ok()) << call.status();
    return *call;
  }
  static v1::ExtractResponse Read(const Frame& frame) {
    v1::ExtractResponse message;
    EXPECT_EQ(frame.tail, nullptr);
    EXPECT_TRUE(message.ParseFromString(frame.head));
    return message;
  }

  FakeServer server_;
};

TEST_F(FramesTest, HeaderTellsWhatWillCome) {
  ExtractCall call = Plan("texts: ['abc', '', 'de'] skip_bad_inputs: true hook_points: 'attn.c_proj'");
  v1::Header header = Read(EncodeHeader(call, server_.context())).header();
  EXPECT_EQ(header.inputs(), 3u);
  EXPECT_EQ(header.runs(), 2u);
  EXPECT_EQ(header.tensors(), 6u);
  EXPECT_EQ(header.data_bytes(), 3u * 5 * 8 * 4);
  EXPECT_EQ(header.tokens(), 5u);
  EXPECT_EQ(header.provenance().model(), "fake-gpt2");
  EXPECT_EQ(header.provenance().weights_sha256(), "weights-digest");
  EXPECT_EQ(header.provenance().tokenizer_sha256(), "tokenizer-digest");
  EXPECT_EQ(header.provenance().numerics(), "fake-numerics");
  EXPECT_EQ(header.provenance().server_version(), "0.1.0");
  EXPECT_EQ(header.provenance().request_sha256(), "request-digest");
}

TEST_F(FramesTest, InputInfoTellsIdsPiecesAndOffsets) {
  ExtractCall call = Plan("texts: 'x' inputs { text: ' b' key: 'k' prepend_bos: true } hook_points: 'hook_embed'");
  v1::InputInfo info = Read(EncodeInputInfo(call, 1, server_.tokenizer)).input();
  EXPECT_EQ(info.index(), 1u);
  EXPECT_EQ(info.key(), "k");
  EXPECT_THAT(info.token_ids(), ElementsAre(256, ' ', 'b'));
  EXPECT_THAT(info.pieces(), ElementsAre("<|endoftext|>", "\xC4\xA0", "b"));
  EXPECT_THAT(info.byte_offsets(), ElementsAre(0, 0, 1));
}

TEST_F(FramesTest, InputInfoTellsWhatWasCutOffOrSkipped) {
  ExtractCall call = Plan(
      "texts: '' inputs { text: '0123456789abcd' truncate: true } skip_bad_inputs: true "
      "hook_points: 'hook_embed'");
  v1::InputInfo skipped = Read(EncodeInputInfo(call, 0, server_.tokenizer)).input();
  EXPECT_NE(skipped.skipped(), "");
  EXPECT_EQ(skipped.token_ids_size(), 0);
  EXPECT_EQ(Read(EncodeInputInfo(call, 1, server_.tokenizer)).input().truncated_tokens(), 2u);
}

TEST_F(FramesTest, TrailerRepeatsTheHeadersCounts) {
  ExtractCall call = Plan("texts: 'abc' hook_points: 'attn.c_proj'");
  v1::Trailer trailer = Read(EncodeTrailer(call, {7, 0.25, 1.5, 99})).trailer();
  EXPECT_EQ(trailer.tensors(), 3u);
  EXPECT_EQ(trailer.data_bytes(), 3u * 3 * 8 * 4);
  EXPECT_EQ(trailer.nonfinite(), 7u);
  EXPECT_EQ(trailer.queue_seconds(), 0.25);
  EXPECT_EQ(trailer.compute_seconds(), 1.5);
  EXPECT_EQ(trailer.batch_tokens(), 99u);
}

TEST_F(FramesTest, TrailerOfAValidationCountsNothing) {
  ExtractCall call = Plan("texts: 'abc' hook_points: 'attn.c_proj' validate_only: true");
  v1::ExtractResponse message = Read(EncodeTrailer(call, {}));
  EXPECT_TRUE(message.has_trailer());
  EXPECT_EQ(message.trailer().ByteSizeLong(), 0u);
}

}  // namespace
}  // namespace hydrophone
