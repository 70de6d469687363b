#include "server/rpc/generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;

// The fake engine's likeliest token after one is the next byte.
v1::ExtractRequest ContinuedRequest(const std::string& text, uint32_t max_new_tokens) {
  v1::ExtractRequest request = TextRequest(text);
  request.set_max_new_tokens(max_new_tokens);
  return request;
}

class GenerationTest : public RpcFixture {
 protected:
  // Counts steps, and waits in the given one (from 1) until LetRun.
  void HoldStep(int held) {
    engine_.on_run = [this, held] {
      running_.Raise();
      if (running_.count() == held) go_.Await();
    };
  }
};

TEST_F(GenerationTest, HeaderInputsAndCapturesAreOfPromptAndContinuation) {
  Start();
  Streamed streamed = Extract(ContinuedRequest("ab", 3));
  ASSERT_TRUE(streamed.status.ok()) << streamed.status.error_message();
  EXPECT_EQ(streamed.messages[0].header().tokens(), 5u);
  const v1::InputInfo& input = streamed.messages[1].input();
  EXPECT_THAT(input.token_ids(), ElementsAre('a', 'b', 'c', 'd', 'e'));
  EXPECT_THAT(input.pieces(), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(streamed.messages.back().trailer().data_bytes(), 2u * 5 * 4 * 4);
}

TEST_F(GenerationTest, EachStepIsAForwardPassAndTheCapturesComeFromOneMore) {
  Start();
  ASSERT_TRUE(Extract(ContinuedRequest("ab", 3)).status.ok());
  EXPECT_EQ(engine_.batches().size(), 4u);
}

TEST_F(GenerationTest, EndsAtTheEndOfText) {
  engine_.next_token = [](uint32_t) { return uint32_t{256}; };
  Start();
  Streamed streamed = Extract(ContinuedRequest("a", 3));
  ASSERT_TRUE(streamed.status.ok()) << streamed.status.error_message();
  EXPECT_THAT(streamed.messages[1].input().token_ids(), ElementsAre('a', 256));
  EXPECT_EQ(engine_.batches().size(), 2u);
}

TEST_F(GenerationTest, ValidateOnlySendsThePromptsAndCountsTheLongestContinuations) {
  Start();
  v1::ExtractRequest request = ContinuedRequest("ab", 3);
  request.set_validate_only(true);
  Streamed streamed = Extract(request);
  ASSERT_TRUE(streamed.status.ok()) << streamed.status.error_message();
  EXPECT_EQ(streamed.messages[0].header().tokens(), 5u);
  EXPECT_THAT(streamed.messages[1].input().token_ids(), ElementsAre('a', 'b'));
  EXPECT_TRUE(engine_.batches().empty());
}

TEST_F(GenerationTest, NothingIsGeneratedOfSkippedInputs) {
  Start();
  v1::ExtractRequest request = ContinuedRequest("", 3);
  request.set_skip_bad_inputs(true);
  EXPECT_TRUE(Extract(request).status.ok());
  EXPECT_TRUE(engine_.batches().empty());
}

TEST_F(GenerationTest, RefusalsComeBeforeAnythingIsComputed) {
  Start();
  Streamed streamed = Extract(ContinuedRequest("ab", 15));
  EXPECT_EQ(streamed.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(FieldsOf(streamed.status), ElementsAre("texts[0]"));
  EXPECT_TRUE(engine_.batches().empty());
}

TEST_F(GenerationTest, PositionsThatNeverCameAreRefusedAfterIt) {
  engine_.next_token = [](uint32_t) { return uint32_t{256}; };
  Start();
  v1::ExtractRequest request;
  request.add_texts("a");
  request.set_max_new_tokens(3);
  v1::HookSelector* hook = request.add_hooks();
  hook->set_hook_point("hook_embed");
  hook->mutable_positions()->add_at(3);
  Streamed streamed = Extract(request);
  EXPECT_THAT(FieldsOf(streamed.status), ElementsAre("hooks[0].positions.at[0]"));
  EXPECT_TRUE(streamed.messages.empty());
}

TEST_F(GenerationTest, ATokenThatTheModelLacksEndsTheCall) {
  engine_.next_token = [](uint32_t) { return uint32_t{50257}; };
  Start();
  Streamed streamed = Extract(ContinuedRequest("a", 3));
  EXPECT_EQ(streamed.status.error_code(), grpc::StatusCode::INTERNAL);
}

TEST_F(GenerationTest, AnEnginesFailureEndsTheCall) {
  engine_.result = absl::InternalError("the matrix is on fire");
  Start();
  Streamed streamed = Extract(ContinuedRequest("a", 3));
  EXPECT_EQ(streamed.status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_TRUE(streamed.messages.empty());
}

TEST_F(GenerationTest, ACallerWhoLeavesStopsItAtTheStepInProgress) {
  HoldStep(2);
  Start();
  grpc::ClientContext context;
  auto reader = client_->Extract(&context, ContinuedRequest("a", 9));
  running_.Await(2);
  context.TryCancel();
  metrics_.AwaitHandled("Extract Canceled");
  LetRun();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(Extract(TextRequest("a")).status.ok());
  EXPECT_EQ(engine_.batches().size(), 3u);
  metrics_.AwaitBudgetUsed(0);
}

TEST_F(GenerationTest, TheDeadlineHoldsAtEveryStep) {
  clock_ = &fake_clock_;
  HoldStep(2);
  Start();
  grpc::ClientContext context;
  const absl::Time too_late = SetFarDeadline(&context);
  auto reader = client_->Extract(&context, ContinuedRequest("a", 9));
  running_.Await(2);
  fake_clock_.Advance(too_late - fake_clock_.Now());
  LetRun();
  v1::ExtractResponse message;
  EXPECT_FALSE(reader->Read(&message));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(status), "DEADLINE");
  EXPECT_TRUE(Extract(TextRequest("a")).status.ok());
  EXPECT_EQ(engine_.batches().size(), 3u) << "two steps, and the request after them";
}

TEST_F(GenerationTest, SequencesContinueTogetherUntilEachEnds) {
  Mutex mutex;
  std::vector<size_t> runs;
  engine_.on_batch = [&](absl::Span<const BatchMember> batch) {
    MutexLock lock(&mutex);
    runs.push_back(batch[0].plan->runs.size());
  };
  engine_.next_token = [](uint32_t token) { return token == 'b' ? uint32_t{256} : token + 1; };
  Start();
  v1::ExtractRequest request = ContinuedRequest("a", 4);
  request.add_texts("x");
  Streamed streamed = Extract(request);
  ASSERT_TRUE(streamed.status.ok()) << streamed.status.error_message();
  EXPECT_THAT(streamed.messages[1].input().token_ids(), ElementsAre('a', 'b', 256));
  EXPECT_THAT(streamed.messages[2].input().token_ids(), ElementsAre('x', 'y', 'z', '{', '|'));
  MutexLock lock(&mutex);
  EXPECT_THAT(runs, ElementsAre(2, 2, 1, 1, 2));
}

TEST_F(GenerationTest, ManyCallersSomeOfWhomLeaveAllEnd) {
  Start();
  std::atomic<int> whole = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      auto client = NewClient();
      grpc::ClientContext context;
      auto reader = client->Extract(&context, ContinuedRequest("a", 9));
      if (i % 2 == 0) context.TryCancel();
      v1::ExtractResponse message;
      while (reader->Read(&message)) {
      }
      whole += reader->Finish().ok();
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_GE(whole, 4);
  metrics_.AwaitBudgetUsed(0);
}

}  // namespace
}  // namespace hydrophone
