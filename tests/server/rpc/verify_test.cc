// Verify's way through the server; its arithmetic is tested in tests/server/verify.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

class VerifyTest : public RpcFixture {
 protected:
  VerifyTest() {
    request_.add_texts("ab");
    request_.set_skip_reference(true);
  }

  v1::VerifyRequest request_;
  v1::VerifyResponse response_;
  grpc::ClientContext context_;
};

TEST_F(VerifyTest, MeasuresWhatTheEngineCaptured) {
  Start();
  grpc::Status status = client_->Verify(&context_, request_, &response_);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response_.provenance().model(), "tiny");
  EXPECT_EQ(response_.layers_size(), 2);
  EXPECT_GT(response_.checks_size(), 3);
  // The fake's points do not add up: a Verify that passes on them would not have looked.
  EXPECT_FALSE(response_.passed());
  EXPECT_GT(response_.layers(0).max_abs(), 0);
  metrics_.AwaitHandled("Verify OK");
  EXPECT_EQ(metrics_.budget_used(), 0u);
}

TEST_F(VerifyTest, ABadRequestNamesItsField) {
  Start();
  request_.add_layers(99);
  grpc::Status status = client_->Verify(&context_, request_, &response_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(FieldsOf(status), testing::ElementsAre("layers[0]"));
}

TEST_F(VerifyTest, OtherCallsGoOnWhileItWaitsForTheModel) {
  HoldRuns();
  options_.worker_threads = 1;
  Start();
  std::thread verify([&] { EXPECT_TRUE(client_->Verify(&context_, request_, &response_).ok()); });
  running_.Await();
  grpc::ClientContext context;
  v1::GetModelResponse model;
  EXPECT_TRUE(NewClient()->GetModel(&context, {}, &model).ok());
  LetRun();
  verify.join();
}

TEST_F(VerifyTest, MoreThanMayWaitAreOverloaded) {
  HoldRuns();
  options_.max_waiting_verifies = 1;
  Start();
  auto verify = [&](v1::VerifyResponse* response) {
    grpc::ClientContext context;
    return client_->Verify(&context, request_, response);
  };
  std::thread first([&] { EXPECT_TRUE(verify(&response_).ok()); });
  running_.Await();
  // Of two more, one waits and one is refused, whichever comes later.
  v1::VerifyResponse second_response, third_response;
  grpc::Status second;
  Signal second_done{"the second Verify ended"};
  std::thread other([&] {
    second = verify(&second_response);
    second_done.Raise();
  });
  std::thread refused_or_waiting([&] {
    grpc::Status third = verify(&third_response);
    LetRun();
    second_done.Await();
    EXPECT_NE(second.ok(), third.ok());
    EXPECT_EQ(ReasonOf(second.ok() ? third : second), "OVERLOADED");
  });
  metrics_.AwaitHandled("Verify ResourceExhausted");
  LetRun();
  for (std::thread* thread : {&first, &other, &refused_or_waiting}) thread->join();
}

TEST_F(VerifyTest, ACallerWhoLeavesTheQueueFreesTheVerifier) {
  HoldRuns();
  Start();
  std::thread busy([&] { EXPECT_TRUE(Extract(TextRequest("abc")).status.ok()); });
  running_.Await();
  std::thread leaver(
      [&] { EXPECT_EQ(client_->Verify(&context_, request_, &response_).error_code(), grpc::StatusCode::CANCELLED); });
  metrics_.AwaitQueueDepth(1);
  context_.TryCancel();
  metrics_.AwaitHandled("Verify Canceled");  // while the engine is still busy with the other call
  leaver.join();
  LetRun();
  busy.join();
  grpc::ClientContext context;
  EXPECT_TRUE(client_->Verify(&context, request_, &response_).ok());
}

}  // namespace
}  // namespace hydrophone
