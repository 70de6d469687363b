// What every call leaves behind it: a line in the log, names in its trailers, and a place in the metrics.
#include "server/rpc/open_calls.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

// The trailers with this name.
std::vector<std::string> TrailersOf(const grpc::ClientContext& context, const char* name) {
  std::vector<std::string> values;
  const auto [first, last] = context.GetServerTrailingMetadata().equal_range(name);
  for (auto trailer = first; trailer != last; ++trailer) {
    values.emplace_back(trailer->second.data(), trailer->second.size());
  }
  return values;
}

class OpenCallsTest : public RpcFixture {
 protected:
  OpenCallsTest() {
    context_.AddMetadata("x-request-id", "mine");
    context_.AddMetadata("traceparent", kTraceparent);
  }

  // Reads the Extract of context_ to its end.
  grpc::Status ExtractNamed(const v1::ExtractRequest& request) {
    auto reader = client_->Extract(&context_, request);
    v1::ExtractResponse message;
    while (reader->Read(&message)) {
    }
    return reader->Finish();
  }

  void ExpectNamed(const CallRecord& call) const {
    EXPECT_EQ(call.request_id, "mine");
    EXPECT_EQ(call.traceparent, kTraceparent);
    EXPECT_THAT(TrailersOf(context_, "x-request-id"), testing::ElementsAre("mine"));
    EXPECT_THAT(TrailersOf(context_, "traceparent"), testing::ElementsAre(kTraceparent));
  }

  grpc::ClientContext context_;
};

TEST_F(OpenCallsTest, AStreamHasALineWithWhatItAskedForAndGot) {
  Start();
  v1::ExtractRequest request = TextRequest("ab");
  request.add_texts("c");
  ASSERT_TRUE(ExtractNamed(request).ok());
  const CallRecord call = call_log_.Await(1)[0];
  ExpectNamed(call);
  EXPECT_EQ(call.method, "Extract");
  EXPECT_THAT(call.caller, testing::StartsWith("ipv4:127.0.0.1:"));
  EXPECT_EQ(call.inputs, 2);
  EXPECT_EQ(call.tokens, 3);
  EXPECT_EQ(call.request_bytes, request.ByteSizeLong());
  EXPECT_GT(call.response_bytes, 3u * 2 * 4 * sizeof(float));
  EXPECT_GT(call.computed, absl::ZeroDuration());
  EXPECT_EQ(call.code, "OK");
  EXPECT_GT(call.elapsed, call.computed);
  EXPECT_EQ(metrics_.first_tensors().size(), 1u);
}

TEST_F(OpenCallsTest, ARefusedStreamHasItsNamesAndItsReason) {
  Start();
  EXPECT_FALSE(ExtractNamed(v1::ExtractRequest()).ok());
  const CallRecord call = call_log_.Await(1)[0];
  ExpectNamed(call);
  EXPECT_EQ(call.code, "InvalidArgument");
  EXPECT_EQ(call.reason, "BAD_REQUEST");
  EXPECT_EQ(metrics_.refused("BAD_REQUEST"), 1);
}

TEST_F(OpenCallsTest, ARefusedUnaryCallHasItsNames) {
  Start();
  v1::TokenizeResponse response;
  EXPECT_FALSE(client_->Tokenize(&context_, {}, &response).ok());
  ExpectNamed(call_log_.Await(1)[0]);
}

TEST_F(OpenCallsTest, CallsThatFindNoPlaceHaveLines) {
  options_.max_open_calls = 1;
  HoldRuns();
  Start();
  std::thread first([&] { EXPECT_TRUE(Extract(TextRequest("a")).status.ok()); });
  running_.Await();
  v1::GetModelResponse response;
  EXPECT_EQ(client_->GetModel(&context_, {}, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const CallRecord call = call_log_.Await(1)[0];
  ExpectNamed(call);
  EXPECT_EQ(call.reason, "OVERLOADED");
  LetRun();
  first.join();
}

TEST_F(OpenCallsTest, AMethodThatTheServerLacksHasALineWithItsPath) {
  Start();
  const grpc::Status status = CallRaw("/hydrophone.v1.ActivationService/Gradients", "");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  const CallRecord call = call_log_.Await(1)[0];
  EXPECT_EQ(call.method, "/hydrophone.v1.ActivationService/Gradients");
  EXPECT_THAT(call.request_id, testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(call.code, "Unimplemented");
  EXPECT_EQ(call.reason, "NOT_BUILT");
  EXPECT_EQ(metrics_.refused("NOT_BUILT"), 1);
}

TEST_F(OpenCallsTest, TheOtherMethodsSayWhatTheyWorkedOn) {
  Start();
  v1::TokenizeRequest texts;
  texts.add_texts("ab");
  texts.add_texts("cde");
  v1::TokenizeResponse tokens;
  ASSERT_TRUE(client_->Tokenize(&context_, texts, &tokens).ok());
  call_log_.Await(1);  // a call's line comes after its answer, and here before the next one's
  v1::DetokenizeRequest back;
  back.add_sequences()->add_token_ids(97);
  v1::DetokenizeResponse text;
  grpc::ClientContext second;
  ASSERT_TRUE(client_->Detokenize(&second, back, &text).ok());
  call_log_.Await(2);
  v1::VerifyRequest verify;
  verify.add_texts("ab");
  verify.set_skip_reference(true);
  v1::VerifyResponse verified;
  grpc::ClientContext third;
  ASSERT_TRUE(client_->Verify(&third, verify, &verified).ok());
  const std::vector<CallRecord> calls = call_log_.Await(3);
  EXPECT_EQ(calls[0].method, "Tokenize");
  EXPECT_EQ(calls[0].inputs, 2);
  EXPECT_EQ(calls[0].tokens, 5);
  EXPECT_EQ(calls[1].method, "Detokenize");
  EXPECT_EQ(calls[1].inputs, 1);
  EXPECT_EQ(calls[1].tokens, 1);
  EXPECT_EQ(calls[2].method, "Verify");
  EXPECT_EQ(calls[2].inputs, 1);
  EXPECT_GE(calls[2].tokens, 3 * 2) << "three passes at least";
  EXPECT_GT(calls[2].computed, absl::ZeroDuration());
}

TEST_F(OpenCallsTest, EachStepOfAContinuationCountsAsComputing) {
  Start();
  v1::ExtractRequest request = TextRequest("a");
  request.set_max_new_tokens(3);
  ASSERT_TRUE(ExtractNamed(request).ok());
  const CallRecord call = call_log_.Await(1)[0];
  EXPECT_EQ(call.tokens, 4);
  EXPECT_GT(call.computed, absl::ZeroDuration());
}

TEST_F(OpenCallsTest, ACallThatLeavesTheQueueIsGivenUpQueued) {
  HoldRuns();
  Start();
  std::thread first([&] { EXPECT_TRUE(Extract(TextRequest("a")).status.ok()); });
  running_.Await();
  auto reader = client_->Extract(&context_, TextRequest("b"));
  metrics_.AwaitQueueDepth(1);
  context_.TryCancel();
  metrics_.AwaitGivenUp(CallStage::kQueued);
  EXPECT_EQ(call_log_.Await(1)[0].code, "Canceled");
  LetRun();
  first.join();
  reader->Finish();
}

TEST_F(OpenCallsTest, ACallThatLeavesItsBatchIsGivenUpComputing) {
  Signal at_second_layer{"the engine reached the second layer"};
  engine_.before_capture = [&](size_t index) {
    if (index != 1) return;
    at_second_layer.Raise();
    go_.Await();
  };
  Start();
  auto reader = client_->Extract(&context_, TextRequest("a"));
  at_second_layer.Await();
  context_.TryCancel();
  metrics_.AwaitHandled("Extract Canceled");
  LetRun();
  metrics_.AwaitGivenUp(CallStage::kComputing);
  EXPECT_EQ(metrics_.given_up(CallStage::kQueued), 0);
  EXPECT_GT(call_log_.Await(1)[0].computed, absl::ZeroDuration());
  reader->Finish();
}

// Half a megabyte of captures, which does not fit the client's window.
v1::ExtractRequest MoreThanTheWindow() {
  v1::ExtractRequest request;
  request.add_hook_points("hook_resid_pre");
  request.set_layout(v1::LAYOUT_ROWS);
  for (int i = 0; i < 1000; ++i) request.add_texts(std::string(16, 'a'));
  return request;
}

TEST_F(OpenCallsTest, ACallThatDoesNotTakeItsAnswerIsGivenUpSending) {
  limits_.max_message_bytes = 16384;
  Start();
  auto reader = client_->Extract(&context_, MoreThanTheWindow());
  v1::ExtractResponse message;
  while (!message.has_chunk()) ASSERT_TRUE(reader->Read(&message));
  scheduler_->Drain(absl::InfiniteFuture());  // the job is over
  context_.TryCancel();
  metrics_.AwaitGivenUp(CallStage::kSending);
  reader->Finish();
}

TEST_F(OpenCallsTest, MessagesThatWaitLongForTheirReaderCountAsStalled) {
  clock_ = &fake_clock_;
  limits_.max_message_bytes = 16384;
  Start();
  auto reader = client_->Extract(&context_, MoreThanTheWindow());
  v1::ExtractResponse message;
  do {  // a thousand times; a message waits at nearly all of them
    fake_clock_.Advance(kStalledWrite);
  } while (reader->Read(&message));
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_GE(metrics_.stalled_writes(), 1);
}

TEST(CallTest, AMessageIsStalledFromTheNamedTimeOn) {
  FakeMetrics metrics;
  FakeCallLog log;
  FakeClock clock;
  OpenCalls calls(1, &metrics, &log, &clock);
  grpc::CallbackServerContext context;
  OpenCalls::Call call(&calls, "Extract", Caller{.name = "a caller"}, &context);
  call.Written(kStalledWrite - absl::Milliseconds(1));
  EXPECT_EQ(metrics.stalled_writes(), 0);
  call.Written(kStalledWrite);
  EXPECT_EQ(metrics.stalled_writes(), 1);
}

TEST_F(OpenCallsTest, AMessageThatIsReadAtOnceIsNotStalled) {
  clock_ = &fake_clock_;
  Start();
  EXPECT_TRUE(ExtractNamed(TextRequest("a")).ok());
  EXPECT_EQ(metrics_.stalled_writes(), 0);
}

TEST_F(OpenCallsTest, DrainingIsTold) {
  Start();
  EXPECT_FALSE(metrics_.draining());
  server_->Drain(absl::ZeroDuration(), absl::InfiniteDuration());
  EXPECT_TRUE(metrics_.draining());
}

}  // namespace
}  // namespace hydrophone
