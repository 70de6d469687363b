#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/fakes/await.h"
#include "tests/fakes/host_tensors.h"
#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Answer {
  std::vector<v1::GetParametersResponse> messages;
  grpc::Status status;
};

class GetParametersTest : public RpcFixture {
 protected:
  GetParametersTest() {
    engine_.parameters = {{"transformer.wte.weight", -1, "", CountingTensor({8, 4})},
                          {"transformer.h.0.ln_1.bias", 0, "", CountingTensor({4})}};
  }

  // More than the client's window holds, in messages of at most 16 KiB.
  void MakeMoreThanTheWindow() {
    engine_.parameters[0].values = CountingTensor({4096, 64});
    limits_.max_message_bytes = 16384;
  }

  Answer Get(const v1::GetParametersRequest& request) const {
    Answer answer;
    const auto client = NewClient();
    grpc::ClientContext context;
    const auto reader = client->GetParameters(&context, request);
    for (v1::GetParametersResponse message; reader->Read(&message);) answer.messages.push_back(message);
    answer.status = reader->Finish();
    return answer;
  }
};

TEST_F(GetParametersTest, StreamsHeaderTensorsAndTrailerWithoutTheEngine) {
  Start();
  const Answer answer = Get({});
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  ASSERT_EQ(answer.messages.size(), 4u);
  EXPECT_EQ(answer.messages[0].header().provenance().model(), "tiny");
  EXPECT_THAT(answer.messages[0].header().provenance().request_sha256(), SizeIs(64));
  EXPECT_EQ(answer.messages[1].chunk().data().size(), 8 * 4 * sizeof(float));
  EXPECT_EQ(answer.messages[2].chunk().info().name(), "transformer.h.0.ln_1.bias");
  EXPECT_EQ(answer.messages[3].trailer().tensors(), 2u);
  EXPECT_THAT(engine_.batches(), IsEmpty());
  metrics_.AwaitHandled("GetParameters OK");
  EXPECT_EQ(metrics_.sent("GetParameters"), 4);
  EXPECT_EQ(metrics_.budget_used(), 0u);
}

TEST_F(GetParametersTest, RefusalsComeBeforeTheHeader) {
  Start();
  v1::GetParametersRequest unknown;
  unknown.add_parameters()->set_name("wte.wieght");
  v1::GetParametersRequest other_model;
  other_model.set_model("gpt2-xl");
  v1::GetParametersRequest too_large;
  too_large.set_max_response_bytes(1);
  struct Case {
    v1::GetParametersRequest request;
    grpc::StatusCode code;
    std::string reason;
    std::string field;
  };
  for (const Case& each : {Case{unknown, grpc::StatusCode::INVALID_ARGUMENT, "BAD_REQUEST", "parameters[0].name"},
                           Case{other_model, grpc::StatusCode::FAILED_PRECONDITION, "PRECONDITION", "model"},
                           Case{too_large, grpc::StatusCode::INVALID_ARGUMENT, "TOO_LARGE", "max_response_bytes"}}) {
    const Answer answer = Get(each.request);
    EXPECT_TRUE(answer.messages.empty());
    EXPECT_EQ(answer.status.error_code(), each.code) << answer.status.error_message();
    EXPECT_EQ(ReasonOf(answer.status), each.reason);
    EXPECT_THAT(FieldsOf(answer.status), ElementsAre(each.field));
  }
}

TEST_F(GetParametersTest, BytesThatAreNoMessageAreRefused) {
  Start();
  const grpc::Status status = CallRaw("/hydrophone.v1.ActivationService/GetParameters", "\x12\xff");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "BAD_REQUEST");
}

TEST_F(GetParametersTest, ASlowReaderIsSentNoMoreThanItTakes) {
  MakeMoreThanTheWindow();
  Start();
  grpc::ClientContext context;
  const auto slow_client = NewClient();
  const auto slow = slow_client->GetParameters(&context, {});
  v1::GetParametersResponse message;
  ASSERT_TRUE(slow->Read(&message));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Extract(TextRequest("a")).status.ok());
  EXPECT_LT(metrics_.sent("GetParameters"), 32) << "of 66 messages";
  size_t bytes = 0;
  while (slow->Read(&message)) bytes += message.chunk().data().size();
  EXPECT_EQ(bytes, (4096 * 64 + 4) * sizeof(float));
  EXPECT_TRUE(slow->Finish().ok());
}

TEST_F(GetParametersTest, ACallerThatLeavesEndsTheCall) {
  MakeMoreThanTheWindow();
  Start();
  grpc::ClientContext context;
  const auto reader = client_->GetParameters(&context, {});
  v1::GetParametersResponse message;
  ASSERT_TRUE(reader->Read(&message));
  context.TryCancel();
  metrics_.AwaitHandled("GetParameters Canceled");
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GetParametersTest, ACallThatIsCutAfterItsDeadlineWasLate) {
  clock_ = &fake_clock_;
  MakeMoreThanTheWindow();
  Start();
  grpc::ClientContext context;
  const absl::Time too_late = SetFarDeadline(&context);
  const auto reader = client_->GetParameters(&context, {});
  v1::GetParametersResponse message;
  ASSERT_TRUE(reader->Read(&message));
  fake_clock_.Advance(too_late - fake_clock_.Now());
  context.TryCancel();
  metrics_.AwaitHandled("GetParameters DeadlineExceeded");
  EXPECT_FALSE(reader->Finish().ok());
}

TEST_F(GetParametersTest, DrainingLetsAStreamFinishAndRefusesNewOnes) {
  MakeMoreThanTheWindow();
  Start();
  grpc::ClientContext context;
  const auto reader = client_->GetParameters(&context, {});
  v1::GetParametersResponse message;
  ASSERT_TRUE(reader->Read(&message));
  std::thread drain([&] { server_->Drain(absl::ZeroDuration(), absl::InfiniteDuration()); });
  PollOrFail("a refused GetParameters", [&] { return ReasonOf(Get({}).status) == "DRAINING"; });
  while (reader->Read(&message)) {
  }
  EXPECT_TRUE(message.has_trailer());
  EXPECT_TRUE(reader->Finish().ok());
  drain.join();
}

}  // namespace
}  // namespace hydrophone
