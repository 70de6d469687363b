#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

using Part = v1::ExtractResponse;

// The chunks of each tensor put together, by the tensor's name.
std::map<std::string, std::vector<float>> TensorsOf(const Streamed& streamed) {
  std::map<uint32_t, std::string> names;
  std::map<std::string, std::vector<float>> tensors;
  for (const v1::ExtractResponse& message : streamed.messages) {
    if (!message.has_chunk()) continue;
    const v1::Chunk& chunk = message.chunk();
    if (chunk.has_info()) names[chunk.tensor()] = chunk.info().name();
    std::vector<float>& values = tensors[names[chunk.tensor()]];
    EXPECT_EQ(chunk.offset(), values.size() * sizeof(float));
    size_t before = values.size();
    values.resize(before + chunk.data().size() / sizeof(float));
    std::memcpy(values.data() + before, chunk.data().data(), chunk.data().size());
  }
  return tensors;
}

// As many tokens as `count` inputs of the whole context hold.
v1::ExtractRequest LargeRequest(int count) {
  v1::ExtractRequest request = TextRequest(std::string(16, 'a'));
  for (int i = 1; i < count; ++i) request.add_texts(std::string(16, 'b'));
  return request;
}

class ExtractTest : public RpcFixture {};

TEST_F(ExtractTest, StreamsHeaderInputsCapturesAndTrailer) {
  Start();
  v1::ExtractRequest request = TextRequest("ab");
  request.add_texts("c");
  Streamed streamed = Extract(request);
  ASSERT_TRUE(streamed.status.ok()) << streamed.status.error_message();
  ASSERT_GE(streamed.messages.size(), 5u);
  const v1::Header& header = streamed.messages.front().header();
  EXPECT_EQ(header.provenance().model(), "tiny");
  EXPECT_EQ(header.provenance().server_version(), "1.2.3");
  EXPECT_EQ(header.inputs(), 2u);
  EXPECT_EQ(header.tensors(), 4u);
  EXPECT_EQ(header.tokens(), 3u);
  EXPECT_THAT(streamed.messages[1].input().token_ids(), ElementsAre(97, 98));
  EXPECT_THAT(streamed.messages[2].input().token_ids(), ElementsAre(99));
  const v1::Trailer& trailer = streamed.messages.back().trailer();
  EXPECT_EQ(trailer.tensors(), header.tensors());
  EXPECT_EQ(trailer.data_bytes(), header.data_bytes());
  EXPECT_EQ(trailer.batch_tokens(), 3u);
  metrics_.AwaitHandled("Extract OK");
  EXPECT_EQ(metrics_.sent("Extract"), static_cast<int>(streamed.messages.size()));
  metrics_.AwaitBudgetUsed(0);
}

TEST_F(ExtractTest, SendsWhatTheEngineCaptured) {
  Start();
  Streamed streamed = Extract(TextRequest("ab"));
  std::vector<float> expected;
  for (uint32_t token : {97u, 98u}) {
    for (int column = 0; column < 4; ++column) {
      expected.push_back(FakeEngine::Value({Site::kResidPre, 1}, token, column));
    }
  }
  EXPECT_EQ(TensorsOf(streamed)["blocks.1.hook_resid_pre"], expected);
}

TEST_F(ExtractTest, CutsLargeTensorsIntoMessagesOfTheLimit) {
  limits_.max_message_bytes = 4096;
  Start();
  v1::ExtractRequest request = LargeRequest(100);
  request.set_layout(v1::LAYOUT_ROWS);
  Streamed streamed = Extract(request);
  ASSERT_TRUE(streamed.status.ok());
  EXPECT_GE(streamed.Count(Part::kChunk), 14u);
  for (const v1::ExtractResponse& message : streamed.messages) EXPECT_LE(message.ByteSizeLong(), 4096u);
  EXPECT_EQ(TensorsOf(streamed)["blocks.0.hook_resid_pre"].size(), 1600u * 4);
}

TEST_F(ExtractTest, ValidateOnlyComputesNothing) {
  Start();
  v1::ExtractRequest request = TextRequest("ab");
  request.set_validate_only(true);
  Streamed streamed = Extract(request);
  EXPECT_TRUE(streamed.status.ok());
  EXPECT_EQ(streamed.Count(Part::kHeader), 1u);
  EXPECT_EQ(streamed.Count(Part::kInput), 1u);
  EXPECT_EQ(streamed.Count(Part::kChunk), 0u);
  EXPECT_EQ(streamed.Count(Part::kTrailer), 1u);
  EXPECT_EQ(streamed.messages.back().trailer().tensors(), 0u);
  EXPECT_TRUE(engine_.batches().empty());
}

TEST_F(ExtractTest, NothingLeftAfterSkippingStillEndsWell) {
  Start();
  v1::ExtractRequest request = TextRequest("");
  request.set_skip_bad_inputs(true);
  Streamed streamed = Extract(request);
  EXPECT_TRUE(streamed.status.ok()) << streamed.status.error_message();
  EXPECT_EQ(streamed.Count(Part::kTrailer), 1u);
  EXPECT_TRUE(engine_.batches().empty());
}

TEST_F(ExtractTest, RefusalsComeBeforeTheHeader) {
  Start();
  struct Case {
    v1::ExtractRequest request;
    grpc::StatusCode code;
    std::string reason;
    std::string field;
  };
  v1::ExtractRequest bad = TextRequest("a");
  bad.set_hook_points(0, "hook_resid_prex");
  v1::ExtractRequest precondition = TextRequest("a");
  precondition.set_model("gpt2-xl");
  v1::ExtractRequest too_large = TextRequest("a");
  too_large.set_max_response_bytes(1);
  for (const Case& each : {Case{bad, grpc::StatusCode::INVALID_ARGUMENT, "BAD_REQUEST", "hook_points[0]"},
                           Case{precondition, grpc::StatusCode::FAILED_PRECONDITION, "PRECONDITION", "model"},
                           Case{too_large, grpc::StatusCode::INVALID_ARGUMENT, "TOO_LARGE", "max_response_bytes"}}) {
    Streamed streamed = Extract(each.request);
    EXPECT_TRUE(streamed.messages.empty());
    EXPECT_EQ(streamed.status.error_code(), each.code) << streamed.status.error_message();
    EXPECT_EQ(ReasonOf(streamed.status), each.reason);
    EXPECT_THAT(FieldsOf(streamed.status), ElementsAre(each.field));
  }
}

TEST_F(ExtractTest, BytesThatAreNoMessageAreRefused) {
  Start();
  grpc::Status status = CallRaw("/hydrophone.v1.ActivationService/Extract", "\x12\xff");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "BAD_REQUEST");
}

TEST_F(ExtractTest, AFullQueueRefusesBeforeTheHeader) {
  HoldRuns();
  limits_.max_queued_requests = 1;
  Start();
  std::thread first([&] { EXPECT_TRUE(Extract(TextRequest("a")).status.ok()); });
  running_.Await();
  std::thread second([&] { EXPECT_TRUE(Extract(TextRequest("b"), client_.get()).status.ok()); });
  metrics_.AwaitQueueDepth(1);
  Streamed refused = Extract(TextRequest("c"), client_.get());
  EXPECT_TRUE(refused.messages.empty());
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(refused.status), "OVERLOADED");
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(refused.status).has_value());
  LetRun();
  first.join();
  second.join();
}

TEST_F(ExtractTest, HeaderAndInputsLeaveBeforeAnythingIsComputed) {
  HoldRuns();
  Start();
  grpc::ClientContext context;
  auto reader = client_->Extract(&context, TextRequest("a"));
  v1::ExtractResponse message;
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_TRUE(message.has_header());
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_TRUE(message.has_input());
  LetRun();
  while (reader->Read(&message)) {
  }
  EXPECT_TRUE(message.has_trailer());
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ExtractTest, CapturesLeaveBeforeTheLastLayerRuns) {
  engine_.before_capture = [this](size_t index) {
    if (index == 1) go_.Await();
  };
  Start();
  grpc::ClientContext context;
  auto reader = client_->Extract(&context, TextRequest("a"));
  v1::ExtractResponse message;
  while (!message.has_chunk()) ASSERT_TRUE(reader->Read(&message));
  EXPECT_EQ(message.chunk().info().name(), "blocks.0.hook_resid_pre");
  LetRun();
  while (reader->Read(&message)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ExtractTest, ACallThatAsksForLittleDepthEndsWhileItsBatchGoesDeeper) {
  HoldRuns();
  Signal deeper{"the batch may go deeper"};
  engine_.before_capture = [&](size_t index) {
    if (index == 1) deeper.Await();
  };
  Start();
  v1::ExtractRequest first_layer = TextRequest("a");
  first_layer.set_hook_points(0, "blocks.0.hook_resid_pre");
  std::thread before([&] { EXPECT_TRUE(Extract(first_layer).status.ok()); });
  running_.Await();
  grpc::ClientContext context;
  auto deep = client_->Extract(&context, TextRequest("a"));
  std::thread shallow([&] { EXPECT_TRUE(Extract(first_layer).status.ok()); });
  metrics_.AwaitQueueDepth(2);
  LetRun();
  before.join();
  shallow.join();
  EXPECT_THAT(engine_.batches(), ElementsAre(1, 2));
  deeper.Raise();
  v1::ExtractResponse message;
  while (deep->Read(&message)) {
  }
  EXPECT_TRUE(deep->Finish().ok());
}

TEST_F(ExtractTest, ACallerWhoLeavesCostsNothingAfterTheLayerInProgress) {
  Signal at_second_layer{"the engine reached the second layer"};
  engine_.before_capture = [&](size_t index) {
    if (index != 1) return;
    at_second_layer.Raise();
    go_.Await();
  };
  Start();
  grpc::ClientContext context;
  auto reader = client_->Extract(&context, TextRequest("a"));
  at_second_layer.Await();
  context.TryCancel();
  metrics_.AwaitHandled("Extract Canceled");
  LetRun();
  metrics_.AwaitBudgetUsed(0);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ExtractTest, ACallerWhoLeavesTheQueueMakesRoomAtOnce) {
  HoldRuns();
  Start();
  std::thread first([&] { EXPECT_TRUE(Extract(TextRequest("a")).status.ok()); });
  running_.Await();
  grpc::ClientContext context;
  auto reader = client_->Extract(&context, TextRequest("b"));
  metrics_.AwaitQueueDepth(1);
  context.TryCancel();
  metrics_.AwaitQueueDepth(0);
  LetRun();
  first.join();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

// Half a megabyte of captures, which does not fit the client's window, in messages of at most 16 KiB.
v1::ExtractRequest MoreThanTheWindow() {
  v1::ExtractRequest request = LargeRequest(1000);
  request.set_layout(v1::LAYOUT_ROWS);
  return request;
}

TEST_F(ExtractTest, ASlowReaderHoldsOnlyItself) {
  limits_.max_message_bytes = 16384;
  Start();
  grpc::ClientContext context;
  auto slow_client = NewClient();
  auto slow = slow_client->Extract(&context, MoreThanTheWindow());
  v1::ExtractResponse message;
  ASSERT_TRUE(slow->Read(&message));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Extract(TextRequest("a")).status.ok());
  EXPECT_GT(metrics_.budget_used(), 0u) << "the slow one still holds its captures";
  size_t chunks = 0;
  while (slow->Read(&message)) chunks += message.has_chunk();
  EXPECT_GE(chunks, 32u);
  EXPECT_TRUE(slow->Finish().ok());
  metrics_.AwaitBudgetUsed(0);
}

TEST_F(ExtractTest, OnlyWhoNeedsASlowReadersBytesWaitsForHim) {
  constexpr uint64_t kHeld = 1000 * 16 * 2 * 4 * sizeof(float);  // by MoreThanTheWindow
  limits_.max_message_bytes = 16384;
  limits_.response_budget_bytes = kHeld * 3 / 2;
  limits_.max_response_bytes = kHeld;
  Start();
  grpc::ClientContext context;
  auto slow_client = NewClient();
  auto slow = slow_client->Extract(&context, MoreThanTheWindow());
  metrics_.AwaitBudgetUsed(kHeld);
  std::thread large([&] { EXPECT_TRUE(Extract(MoreThanTheWindow()).status.ok()); });
  metrics_.AwaitQueueDepth(1);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Extract(TextRequest("a")).status.ok());
  metrics_.AwaitHandled("Extract OK", 20);  // counted after the caller hears of it
  EXPECT_EQ(metrics_.handled("Extract OK"), 20) << "the large one still waits";
  v1::ExtractResponse message;
  while (slow->Read(&message)) {
  }
  EXPECT_TRUE(slow->Finish().ok());
  large.join();
}

TEST_F(ExtractTest, ASlowReaderWhoLeavesGivesItsBudgetBack) {
  limits_.max_message_bytes = 16384;
  Start();
  {
    grpc::ClientContext context;
    auto slow = client_->Extract(&context, MoreThanTheWindow());
    v1::ExtractResponse message;
    ASSERT_TRUE(slow->Read(&message));
    context.TryCancel();
  }
  metrics_.AwaitHandled("Extract Canceled");
  metrics_.AwaitBudgetUsed(0);
}

TEST_F(ExtractTest, ADeadlineEndsAWaitingCall) {
  clock_ = &fake_clock_;
  HoldRuns();
  Start();
  std::thread first([&] { EXPECT_TRUE(Extract(TextRequest("a")).status.ok()); });
  running_.Await();
  grpc::ClientContext context;
  const absl::Time too_late = SetFarDeadline(&context);
  auto reader = client_->Extract(&context, TextRequest("b"));
  metrics_.AwaitQueueDepth(1);
  fake_clock_.Advance(too_late - fake_clock_.Now());
  LetRun();
  v1::ExtractResponse message;
  while (reader->Read(&message)) EXPECT_FALSE(message.has_chunk());
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(status), "DEADLINE");
  first.join();
  EXPECT_THAT(engine_.batches(), ElementsAre(1));
}

TEST_F(ExtractTest, AnEnginesFailureCutsTheStreamWithoutATrailer) {
  engine_.result = absl::InternalError("the matrix is on fire");
  Start();
  Streamed streamed = Extract(TextRequest("a"));
  EXPECT_EQ(streamed.status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ReasonOf(streamed.status), "INTERNAL");
  EXPECT_EQ(streamed.Count(Part::kTrailer), 0u);
}

TEST_F(ExtractTest, RequestsThatWaitTogetherAreComputedTogether) {
  HoldRuns();
  Start();
  std::thread first([&] { Extract(TextRequest("a")); });
  running_.Await();
  std::thread second([&] {
    Streamed streamed = Extract(TextRequest("bc"));
    EXPECT_EQ(streamed.messages.back().trailer().batch_tokens(), 5u);
    EXPECT_EQ(TensorsOf(streamed)["blocks.0.hook_resid_pre"].size(), 8u);
  });
  std::thread third([&] { EXPECT_EQ(TensorsOf(Extract(TextRequest("def")))["blocks.0.hook_resid_pre"].size(), 12u); });
  metrics_.AwaitQueueDepth(2);
  LetRun();
  for (std::thread* thread : {&first, &second, &third}) thread->join();
  EXPECT_THAT(engine_.batches(), ElementsAre(1, 2));
}

TEST_F(ExtractTest, ManyCallersSomeOfWhomLeaveAllEnd) {
  Start();
  std::atomic<int> complete = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      auto client = NewClient();
      for (int i = 0; i < 25; ++i) {
        grpc::ClientContext context;
        auto reader = client->Extract(&context, LargeRequest(1 + (7 * i + t) % 20));
        v1::ExtractResponse message;
        for (int reads = 0; reader->Read(&message); ++reads) {
          if (i % 4 == 0 && reads == i % 5) context.TryCancel();
        }
        if (reader->Finish().ok()) complete += message.has_trailer();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(complete, 4 * 18);
  metrics_.AwaitBudgetUsed(0);
}

}  // namespace
}  // namespace hydrophone
