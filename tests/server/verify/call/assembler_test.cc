#include "server/verify/call/assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/fakes/fake_server.h"
#include "tests/fakes/host_tensors.h"
#include "tests/fakes/text_message.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AssemblerTest : public ::testing::Test {
 protected:
  AssemblerTest()
      : call_(*PlanExtract(
            Parse<v1::ExtractRequest>("texts: ['abc', 'de'] hook_points: ['hook_embed', 'hook_pos_embed']"), "sha",
            server_.context())) {}

  // Both captures' frames, in small messages.
  std::vector<Frame> Frames() {
    std::vector<Frame> all;
    for (size_t i = 0; i < 2; ++i) {
      CaptureFrames frames(call_, i, CountingTensor({5, 8}), 150);
      while (std::optional<Frame> frame = frames.Next()) all.push_back(*frame);
    }
    return all;
  }

  // A frame that a change of its chunk gives.
  static Frame Changed(const Frame& frame, const std::function<void(v1::Chunk&)>& change) {
    std::string bytes = frame.head;
    bytes.append(reinterpret_cast<const char*>(frame.tail), frame.tail_size);
    v1::ExtractResponse message;
    EXPECT_TRUE(message.ParseFromString(bytes));
    change(*message.mutable_chunk());
    return {message.SerializeAsString(), nullptr, 0, nullptr};
  }

  FakeServer server_;
  ExtractCall call_;
  CaptureAssembler assembler_;
};

TEST_F(AssemblerTest, PutsTensorsTogether) {
  ASSERT_TRUE(assembler_.Add(EncodeHeader(call_, server_.context())).ok());
  for (const Frame& frame : Frames()) ASSERT_TRUE(assembler_.Add(frame).ok());
  ASSERT_TRUE(assembler_.Add(EncodeTrailer(call_, {})).ok());
  auto tensors = assembler_.Finish();
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  ASSERT_EQ(tensors->size(), 4u);
  EXPECT_THAT(tensors->at(1).info.shape(), ElementsAre(2, 8));
  EXPECT_EQ(tensors->at(1).values.size(), 16u);
  EXPECT_EQ(tensors->at(1).values[0], 24.0f);
  EXPECT_EQ(tensors->at(2).info.name(), "hook_pos_embed");
}

TEST_F(AssemblerTest, RefusesAWrongChecksum) {
  Frame damaged = Changed(Frames()[0], [](v1::Chunk& chunk) { (*chunk.mutable_data())[5] ^= 1; });
  EXPECT_THAT(std::string(assembler_.Add(damaged).message()), HasSubstr("checksum"));
}

TEST_F(AssemblerTest, RefusesChunksThatDoNotContinue) {
  std::vector<Frame> frames = Frames();
  ASSERT_TRUE(assembler_.Add(frames[0]).ok());
  EXPECT_FALSE(assembler_.Add(frames[0]).ok());
  Frame elsewhere = Changed(frames[1], [](v1::Chunk& chunk) { chunk.set_offset(chunk.offset() + 4); });
  EXPECT_THAT(std::string(assembler_.Add(elsewhere).message()), HasSubstr("continue"));
}

TEST_F(AssemblerTest, RefusesAChunkWithoutItsDescription) {
  EXPECT_THAT(std::string(assembler_.Add(Frames()[1]).message()), HasSubstr("description"));
}

TEST_F(AssemblerTest, RefusesATensorThatIsNotComplete) {
  ASSERT_TRUE(assembler_.Add(Frames()[0]).ok());
  EXPECT_EQ(assembler_.Finish().status().code(), absl::StatusCode::kInternal);
}

TEST_F(AssemblerTest, RefusesBytesThatAreNoMessage) {
  EXPECT_EQ(assembler_.Add({"\xFF\xFF", nullptr, 0, nullptr}).code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace hydrophone
