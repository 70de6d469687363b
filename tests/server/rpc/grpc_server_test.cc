// Starting, health, reflection's prerequisites, and draining.
#include "server/rpc/grpc_server.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.pb.h"
#include "tests/fakes/await.h"
#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

using HealthAnswer = grpc::health::v1::HealthCheckResponse;

class GrpcServerTest : public RpcFixture {
 protected:
  grpc::Status GetModel() const {
    grpc::ClientContext context;
    v1::GetModelResponse response;
    return client_->GetModel(&context, {}, &response);
  }

  // Asks until Drain has changed the server's health.
  void AwaitNotServing() const {
    PollOrFail("a health that is not SERVING", [&] { return Health(std::string()) == HealthAnswer::NOT_SERVING; });
  }
};

TEST_F(GrpcServerTest, ATakenPortIsAnErrorThatNamesIt) {
  Start();
  GrpcServerOptions second = options_;
  second.listen = absl::StrCat("127.0.0.1:", server_->port());
  auto refused = GrpcServer::Start(
      {&engine_, &tokenizer_, scheduler_.get(), &metrics_, &RealClock(), &limits_, &call_log_}, second);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.status().message()), testing::HasSubstr(second.listen));
}

TEST_F(GrpcServerTest, HealthSaysServingOnlyWhenTold) {
  Start();
  for (const char* service : {"", "hydrophone.v1.ActivationService"}) {
    EXPECT_EQ(Health(service), HealthAnswer::NOT_SERVING) << service;
  }
  server_->SetServing(true);
  for (const char* service : {"", "hydrophone.v1.ActivationService"}) {
    EXPECT_EQ(Health(service), HealthAnswer::SERVING) << service;
  }
  EXPECT_EQ(Health("no.such.Service"), -1);
}

TEST_F(GrpcServerTest, ReflectionCanDescribeHealth) {
  EXPECT_NE(google::protobuf::DescriptorPool::generated_pool()->FindServiceByName("grpc.health.v1.Health"), nullptr);
}

TEST_F(GrpcServerTest, DrainingLetsOpenStreamsFinishAndRefusesNewCalls) {
  HoldRuns();
  Start();
  server_->SetServing(true);
  std::thread open([&] { EXPECT_TRUE(Extract(TextRequest("a")).status.ok()); });
  running_.Await();
  std::thread drain([&] { server_->Drain(absl::ZeroDuration(), absl::InfiniteDuration()); });
  AwaitNotServing();
  // Health changes an instant before calls are refused.
  PollOrFail("a refused GetModel", [&] { return !GetModel().ok(); });
  grpc::Status refused = Extract(TextRequest("b")).status;
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(refused), "DRAINING");
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(refused).has_value());
  LetRun();
  open.join();
  drain.join();
}

TEST_F(GrpcServerTest, CallsAreAnsweredUntilTheLagIsOver) {
  clock_ = &fake_clock_;
  Start();
  server_->SetServing(true);
  const absl::Time lag_ends = fake_clock_.Now() + absl::Seconds(5);
  std::thread drain([&] { server_->Drain(absl::Seconds(5), absl::InfiniteDuration()); });
  AwaitNotServing();
  fake_clock_.AwaitWaiter(lag_ends);
  EXPECT_TRUE(GetModel().ok());
  fake_clock_.Advance(absl::Seconds(5));
  drain.join();
  EXPECT_FALSE(GetModel().ok());
}

TEST_F(GrpcServerTest, DrainingLetsAVerifyMakeItsLaterPasses) {
  HoldRuns();
  Start();
  server_->SetServing(true);
  std::thread open([&] {
    v1::VerifyRequest request;
    request.add_texts("abc");
    request.set_skip_reference(true);
    v1::VerifyResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(client_->Verify(&context, request, &response).ok());
  });
  running_.Await();
  std::thread drain([&] { server_->Drain(absl::ZeroDuration(), absl::InfiniteDuration()); });
  AwaitNotServing();
  LetRun();
  open.join();
  drain.join();
}

TEST_F(GrpcServerTest, DrainingCutsWhatIsNotDoneInTime) {
  Signal at_second_layer{"the engine reached the second layer"};
  engine_.before_capture = [&](size_t index) {
    if (index != 1) return;
    at_second_layer.Raise();
    go_.Await();
  };
  Start();
  std::thread open([&] {
    Streamed cut = Extract(TextRequest("a"));
    EXPECT_EQ(cut.status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonOf(cut.status), "DRAINING");
    EXPECT_EQ(cut.Count(v1::ExtractResponse::kTrailer), 0u);
  });
  at_second_layer.Await();
  std::thread waiting([&] { EXPECT_EQ(ReasonOf(Extract(TextRequest("b")).status), "DRAINING"); });
  metrics_.AwaitQueueDepth(1);
  std::thread drain([&] { server_->Drain(absl::ZeroDuration(), absl::ZeroDuration()); });
  waiting.join();  // told while the engine is still in its layer: patience has ended
  LetRun();
  open.join();
  drain.join();
}

}  // namespace
}  // namespace hydrophone
