#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <limits>

#include "server/answer/frames.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/host_tensors.h"
#include "tests/fakes/text_message.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kRoomy = 1 << 20;

std::string Bytes(const Frame& frame) {
  std::string bytes = frame.head;
  if (frame.tail_size > 0) bytes.append(reinterpret_cast<const char*>(frame.tail), frame.tail_size);
  return bytes;
}

class CaptureFramesTest : public ::testing::Test {
 protected:
  void Plan(const std::string& text) {
    absl::StatusOr<ExtractCall> call = PlanExtract(Parse<v1::ExtractRequest>(text), "sha", server_.context());
    ASSERT_TRUE(call.ok()) << call.status();
    call_ = *call;
  }

  // All messages of the first capture, over the values 0, 1, 2, ...; checks what holds for every
  // frame.
  std::vector<v1::ExtractResponse> Encode(uint64_t max_message_bytes) {
    const Capture& capture = call_.plan.captures[0];
    return Encode(CountingTensor({capture.row_count, capture.RowElements()}), max_message_bytes);
  }
  std::vector<v1::ExtractResponse> Encode(const TensorView& rows, uint64_t max_message_bytes) {
    CaptureFrames frames(call_, 0, rows, max_message_bytes);
    std::vector<v1::ExtractResponse> messages;
    while (std::optional<Frame> frame = frames.Next()) {
      v1::ExtractResponse& message = messages.emplace_back();
      EXPECT_TRUE(message.ParseFromString(Bytes(*frame)));
      EXPECT_EQ(message.SerializeAsString(), Bytes(*frame));
      EXPECT_LE(frame->size(), max_message_bytes);
    }
    EXPECT_FALSE(frames.Next().has_value());
    nonfinite_ = frames.nonfinite();
    return messages;
  }

  FakeServer server_;
  ExtractCall call_;
  uint64_t nonfinite_ = 0;
};

// Offset and size of each chunk.
std::vector<std::pair<uint64_t, size_t>> Pieces(const std::vector<v1::ExtractResponse>& messages) {
  std::vector<std::pair<uint64_t, size_t>> pieces;
  for (const auto& message : messages) pieces.emplace_back(message.chunk().offset(), message.chunk().data().size());
  return pieces;
}

TEST_F(CaptureFramesTest, AChunkBorrowsTheTensorsMemory) {
  Plan("texts: 'abc' hook_points: 'hook_embed'");
  TensorView rows = CountingTensor({3, 8});
  CaptureFrames frames(call_, 0, rows, kRoomy);
  std::optional<Frame> frame = frames.Next();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->tail, rows.data);
  EXPECT_EQ(frame->tail_size, 96u);
  EXPECT_EQ(frame->owner, rows.owner);
}

TEST_F(CaptureFramesTest, TheFirstChunkDescribesTheTensor) {
  Plan("texts: 'abc' hook_points: 'hook_embed' hook_points: 'transformer.h.1.attn.c_proj'");
  call_.plan.captures.erase(call_.plan.captures.begin());
  call_.formats.erase(call_.formats.begin());
  v1::Chunk chunk = Encode(kRoomy).at(0).chunk();
  EXPECT_EQ(chunk.tensor(), 1u);
  EXPECT_EQ(chunk.info().name(), "blocks.1.hook_attn_out");
  EXPECT_EQ(chunk.info().hugging_face_name(), "transformer.h.1.attn.c_proj");
  EXPECT_EQ(chunk.info().layer(), 1);
  EXPECT_EQ(chunk.info().selector(), 1u);
  EXPECT_EQ(chunk.info().dtype(), v1::DTYPE_FLOAT32);
  EXPECT_THAT(chunk.info().shape(), ElementsAre(3, 8));
  EXPECT_THAT(chunk.info().runs(), ElementsAre(0));
  EXPECT_THAT(chunk.info().rows(), IsEmpty());
  EXPECT_EQ(chunk.crc32(), crc32(0, reinterpret_cast<const Bytef*>(chunk.data().data()), 96));
}

TEST_F(CaptureFramesTest, EachRunIsATensorOfItsOwn) {
  Plan("texts: ['abc', 'de'] hook_points: 'hook_embed'");
  std::vector<v1::ExtractResponse> messages = Encode(kRoomy);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_THAT(messages[0].chunk().info().shape(), ElementsAre(3, 8));
  const v1::Chunk& second = messages[1].chunk();
  EXPECT_EQ(second.tensor(), 1u);
  EXPECT_THAT(second.info().shape(), ElementsAre(2, 8));
  EXPECT_THAT(second.info().runs(), ElementsAre(1));
  float first_value = 0;
  std::memcpy(&first_value, second.data().data(), sizeof(first_value));
  EXPECT_EQ(first_value, 24.0f);
}

TEST_F(CaptureFramesTest, RowsOfAllRunsAreOneTensor) {
  Plan("texts: ['abc', 'de'] hook_points: 'hook_embed' layout: LAYOUT_ROWS");
  std::vector<v1::ExtractResponse> messages = Encode(kRoomy);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_THAT(messages[0].chunk().info().shape(), ElementsAre(5, 8));
  EXPECT_THAT(messages[0].chunk().info().rows(), ElementsAre(3, 2));
  EXPECT_THAT(messages[0].chunk().info().runs(), IsEmpty());
}

TEST_F(CaptureFramesTest, RowsOfSomeRunsNameThemAsTheRequestDoes) {
  Plan(
      "texts: ['', 'abc', 'de'] skip_bad_inputs: true layout: LAYOUT_ROWS hooks { hook_point: "
      "'hook_embed' runs: [2, 1] }");
  EXPECT_THAT(Encode(kRoomy).at(0).chunk().info().runs(), ElementsAre(2, 1));
  Plan("texts: ['', 'abc', 'de'] skip_bad_inputs: true hook_points: 'hook_embed'");
  EXPECT_THAT(Encode(kRoomy).at(0).chunk().info().runs(), ElementsAre(1));
}

TEST_F(CaptureFramesTest, CutsBetweenRows) {
  Plan("texts: 'abcdef' hook_points: 'hook_embed'");
  // A row is 32 bytes; the first chunk's description takes some 60.
  EXPECT_THAT(Pieces(Encode(170)), ElementsAre(std::pair(0u, 64u), std::pair(64u, 128u)));
}

TEST_F(CaptureFramesTest, CutsInsideARowThatIsTooLong) {
  server_.model.n_embd = 100;
  Plan("texts: 'ab' hook_points: 'hook_embed'");
  std::vector<std::pair<uint64_t, size_t>> pieces = Pieces(Encode(300));
  uint64_t expected = 0;
  for (auto [offset, size] : pieces) {
    EXPECT_EQ(offset, expected);
    EXPECT_EQ(size % sizeof(float), 0u);
    EXPECT_LE(offset % 400 + size, 400u) << "a part of a row goes no further than the row";
    expected += size;
  }
  EXPECT_EQ(expected, 800u);
}

TEST_F(CaptureFramesTest, EveryMessageSizeGivesTheSameBytes) {
  server_.model.n_embd = 24;
  Plan("texts: ['abc', 'defghi'] hook_points: 'hook_embed' layout: LAYOUT_ROWS");
  TensorView rows = CountingTensor({9, 24});
  for (uint64_t max : {160u, 200u, 300u, 500u, 1000u}) {
    std::string joined;
    for (const auto& message : Encode(rows, max)) joined += message.chunk().data();
    EXPECT_EQ(joined, std::string(reinterpret_cast<const char*>(rows.data), rows.bytes())) << max;
  }
}

TEST_F(CaptureFramesTest, ATensorWithoutRowsIsOneEmptyChunk) {
  Plan("texts: ['abc', 'de'] hooks { hook_point: 'hook_embed' positions { slice: '2:' } }");
  std::vector<v1::ExtractResponse> messages = Encode(kRoomy);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_THAT(messages[0].chunk().info().shape(), ElementsAre(1, 8));
  EXPECT_THAT(messages[1].chunk().info().shape(), ElementsAre(0, 8));
  EXPECT_EQ(messages[1].chunk().data(), "");
}

TEST_F(CaptureFramesTest, PreviewsAreStrings) {
  Plan("texts: 'ab' hook_points: 'hook_embed' view: VIEW_PREVIEW");
  v1::Values values = Encode(kRoomy).at(0).values();
  EXPECT_EQ(values.preview(),
            "[[ 0.0000  1.0000  2.0000 ...  5.0000  6.0000  7.0000]\n"
            " [ 8.0000  9.0000 10.0000 ... 13.0000 14.0000 15.0000]]");
  EXPECT_THAT(values.info().shape(), ElementsAre(2, 8));
}

TEST_F(CaptureFramesTest, FloatsAreTheElements) {
  Plan("texts: ['a', 'b'] hook_points: 'hook_embed' view: VIEW_FLOATS");
  v1::Values values = Encode(kRoomy).at(1).values();
  EXPECT_EQ(values.tensor(), 1u);
  EXPECT_THAT(values.floats(), ElementsAre(8, 9, 10, 11, 12, 13, 14, 15));
}

TEST_F(CaptureFramesTest, SummariesAreMoments) {
  Plan("texts: 'a' hook_points: 'hook_embed' view: VIEW_SUMMARY");
  v1::Summary summary = Encode(kRoomy).at(0).values().summary();
  EXPECT_EQ(summary.mean(), 3.5);
  EXPECT_EQ(summary.max(), 7);
  EXPECT_EQ(summary.count(), 8u);
}

TEST_F(CaptureFramesTest, CountsNonfiniteValuesInEveryView) {
  std::vector<float> values(40, 1.0f);
  values[3] = std::numeric_limits<float>::infinity();
  values[38] = std::numeric_limits<float>::quiet_NaN();
  for (std::string view : {"VIEW_BYTES", "VIEW_PREVIEW", "VIEW_FLOATS", "VIEW_SUMMARY"}) {
    Plan("texts: ['abc', 'de'] hook_points: 'hook_embed' view: " + view);
    Encode(TensorOf({5, 8}, values), 512);
    EXPECT_EQ(nonfinite_, 2u) << view;
  }
}

}  // namespace
}  // namespace hydrophone
