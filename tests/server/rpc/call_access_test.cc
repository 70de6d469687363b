// Which calls the server lets in, and what the limits of a caller refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "server/base/sha256.h"
#include "server/rpc/service_methods.h"
#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

constexpr char kAlice[] = "Bearer alices-token";
constexpr char kBob[] = "Bearer bobs-token";

class CallAccessTest : public RpcFixture {
 protected:
  ~CallAccessTest() override { std::filesystem::remove(path_); }

  // Starts a server that knows alice, with these limits, and bob.
  void StartWith(const std::string& alices_limits) {
    std::ofstream(path_) << "sha256=" << Sha256Hex("alices-token") << " name=alice " << alices_limits << "\n"
                         << "sha256=" << Sha256Hex("bobs-token") << " name=bob\n";
    auto access = Access::Load(path_, clock_, [](const absl::Status&) {});
    ASSERT_TRUE(access.ok()) << access.status();
    access_ = *std::move(access);
    Start();
  }

  const std::string path_ = absl::StrCat(testing::TempDir(), "/call_access_test_",
                                         testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(CallAccessTest, EveryMethodWantsAToken) {
  StartWith("");
  for (const ServiceMethod& method : ServiceMethods()) {
    const std::string path = absl::StrCat("/", ServiceName(), "/", method.name);
    const grpc::Status none = CallRaw(path, "");
    EXPECT_EQ(none.error_code(), grpc::StatusCode::UNAUTHENTICATED) << method.name;
    EXPECT_EQ(ReasonOf(none), "NO_TOKEN") << method.name;
    EXPECT_EQ(ReasonOf(CallRaw(path, "", nullptr, "Bearer other")), "UNKNOWN_TOKEN") << method.name;
    EXPECT_EQ(ReasonOf(CallRaw(path, "", nullptr, "Basic other")), "BAD_TOKEN") << method.name;
    metrics_.AwaitHandled(method.name + " Unauthenticated", 3);
  }
  EXPECT_TRUE(CallRaw(absl::StrCat("/", ServiceName(), "/GetModel"), "", nullptr, kAlice).ok());
  EXPECT_TRUE(Extract(TextRequest("a"), kAlice).status.ok());
}

TEST_F(CallAccessTest, AMethodThatIsNotThereIsToldOnlyToCallersThatMayAsk) {
  StartWith("");
  EXPECT_EQ(ReasonOf(CallRaw("/hydrophone.v1.ActivationService/Nothing", "")), "NO_TOKEN");
  EXPECT_EQ(CallRaw("/hydrophone.v1.ActivationService/Nothing", "", nullptr, kAlice).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(CallAccessTest, HealthStaysOpen) {
  StartWith("");
  EXPECT_NE(Health(""), -1);
}

TEST_F(CallAccessTest, CallsAtOnceAreLimitedForOneCallerAlone) {
  HoldRuns();
  StartWith("requests=1");
  std::thread open([&] { EXPECT_TRUE(Extract(TextRequest("a"), kAlice).status.ok()); });
  running_.Await();
  const grpc::Status refused = Extract(TextRequest("b"), kAlice).status;
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(refused), "CALLER_LIMIT");
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(refused).has_value());
  EXPECT_TRUE(CallRaw(absl::StrCat("/", ServiceName(), "/GetModel"), "", nullptr, kBob).ok());
  LetRun();
  open.join();
  EXPECT_TRUE(Extract(TextRequest("b"), kAlice).status.ok());
}

TEST_F(CallAccessTest, OneCallAfterAnotherNeverMeetsTheLimitOfOne) {
  StartWith("requests=1");
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(Extract(TextRequest("a"), kAlice).status.ok()) << i;
    EXPECT_TRUE(CallRaw(absl::StrCat("/", ServiceName(), "/GetModel"), "", nullptr, kAlice).ok()) << i;
  }
}

TEST_F(CallAccessTest, TokensASecondAreLimitedAndTheRefusalSaysWhenToTryAgain) {
  clock_ = &fake_clock_;
  StartWith("tokens_per_second=10");
  EXPECT_TRUE(Extract(TextRequest("abcdefgh"), kAlice).status.ok());
  const grpc::Status refused = Extract(TextRequest("abcdefgh"), kAlice).status;
  EXPECT_EQ(ReasonOf(refused), "CALLER_LIMIT");
  const auto retry = DetailOf<google::rpc::RetryInfo>(refused);
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->retry_delay().nanos(), 600'000'000);
  EXPECT_TRUE(Extract(TextRequest("abcdefgh"), kBob).status.ok());
  fake_clock_.Advance(absl::Milliseconds(600));
  EXPECT_TRUE(Extract(TextRequest("abcdefgh"), kAlice).status.ok());
}

TEST_F(CallAccessTest, AContinuationCountsAllItsSteps) {
  clock_ = &fake_clock_;
  StartWith("tokens_per_second=10");
  v1::ExtractRequest request = TextRequest("abcd");
  request.set_max_new_tokens(3);
  (void)Extract(request, kAlice);  // 4 + 5 + 6 tokens, and what is captured after them
  const grpc::Status refused = Extract(TextRequest("a"), kAlice).status;
  EXPECT_EQ(ReasonOf(refused), "CALLER_LIMIT");
}

TEST_F(CallAccessTest, AnExtractThatOnlyValidatesTakesNothing) {
  clock_ = &fake_clock_;
  StartWith("tokens_per_second=1 bytes_in_flight=1");
  v1::ExtractRequest request = TextRequest("abcdefgh");
  request.set_validate_only(true);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Extract(request, kAlice).status.ok());
}

TEST_F(CallAccessTest, BytesThatCanNeverFitAreRefusedWithBothNumbers) {
  StartWith("bytes_in_flight=10");
  const grpc::Status refused = Extract(TextRequest("a"), kAlice).status;
  EXPECT_EQ(ReasonOf(refused), "TOO_LARGE");
  EXPECT_THAT(refused.error_message(), testing::HasSubstr("the limit is 10"));
}

TEST_F(CallAccessTest, AVerifyTakesOfTheLimitsToo) {
  StartWith("bytes_in_flight=10");
  v1::VerifyRequest request;
  request.add_texts("abc");
  const grpc::Status refused =
      CallRaw(absl::StrCat("/", ServiceName(), "/Verify"), request.SerializeAsString(), nullptr, kAlice);
  EXPECT_EQ(ReasonOf(refused), "TOO_LARGE");
}

}  // namespace
}  // namespace hydrophone
