// GetModel, ListHookPoints, Tokenize, Detokenize, and what every call has in common.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kTokenize[] = "/hydrophone.v1.ActivationService/Tokenize";
constexpr char kGetModel[] = "/hydrophone.v1.ActivationService/GetModel";

class UnaryTest : public RpcFixture {
 protected:
  grpc::ClientContext context_;
};

TEST_F(UnaryTest, GetModelSaysWhatIsLoadedAndEveryLimit) {
  limits_.max_queued_requests = 17;
  Start();
  v1::GetModelResponse response;
  ASSERT_TRUE(client_->GetModel(&context_, {}, &response).ok());
  EXPECT_EQ(response.model().name(), "tiny");
  EXPECT_EQ(response.model().n_layer(), 2u);
  EXPECT_EQ(response.compute().numerics(), "fake");
  EXPECT_EQ(response.limits().max_queued_requests(), 17u);
  EXPECT_EQ(response.versions().server(), "1.2.3");
  EXPECT_EQ(response.versions().grpc(), grpc::Version());
}

TEST_F(UnaryTest, ListHookPointsNamesThem) {
  Start();
  v1::ListHookPointsResponse response;
  ASSERT_TRUE(client_->ListHookPoints(&context_, {}, &response).ok());
  ASSERT_GT(response.hook_points_size(), 10);
  EXPECT_EQ(response.hook_points(0).name(), "hook_embed");
}

TEST_F(UnaryTest, TokenizeAndDetokenizeAreARoundTrip) {
  Start();
  v1::TokenizeRequest request;
  request.add_texts("ab");
  v1::TokenizeResponse response;
  ASSERT_TRUE(client_->Tokenize(&context_, request, &response).ok());
  ASSERT_EQ(response.inputs_size(), 1);
  EXPECT_THAT(response.inputs(0).token_ids(), ElementsAre(97, 98));

  v1::DetokenizeRequest back;
  *back.add_sequences()->mutable_token_ids() = response.inputs(0).token_ids();
  v1::DetokenizeResponse text;
  grpc::ClientContext context;
  ASSERT_TRUE(client_->Detokenize(&context, back, &text).ok());
  EXPECT_EQ(text.sequences(0).text(), "ab");
}

TEST_F(UnaryTest, ABadRequestNamesItsField) {
  Start();
  v1::DetokenizeRequest request;
  request.add_sequences()->add_token_ids(60000);
  v1::DetokenizeResponse response;
  grpc::Status status = client_->Detokenize(&context_, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "BAD_REQUEST");
  EXPECT_THAT(FieldsOf(status), ElementsAre("sequences[0].token_ids[0]"));
}

TEST_F(UnaryTest, BytesThatAreNoMessageAreRefused) {
  Start();
  grpc::Status status = CallRaw(kTokenize, "\x0a\xff");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "BAD_REQUEST");
}

TEST_F(UnaryTest, AFieldThatThisServerDoesNotKnowIsRefusedWithItsNumber) {
  Start();
  grpc::Status status = CallRaw(kGetModel, std::string("\xf8\x06\x01", 3));  // field 111, a varint
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("111"));
}

TEST_F(UnaryTest, ARequestOverTheLimitIsRefusedWithTheNumbers) {
  limits_.max_request_bytes = 1000;
  Start();
  v1::TokenizeRequest request;
  request.add_texts(std::string(1500, 'x'));
  v1::TokenizeResponse response;
  grpc::Status status = client_->Tokenize(&context_, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(status.error_message(), HasSubstr("1000"));
}

TEST_F(UnaryTest, ARequestFarOverTheLimitDoesNotReachUs) {
  limits_.max_request_bytes = 1000;
  Start();
  v1::TokenizeRequest request;
  request.add_texts(std::string(100'000, 'x'));
  v1::TokenizeResponse response;
  EXPECT_EQ(client_->Tokenize(&context_, request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(metrics_.started("Tokenize"), 0);
}

TEST_F(UnaryTest, AnAnswerThatDoesNotFitOneMessageIsRefused) {
  Start();
  v1::TokenizeRequest request;
  request.add_texts(std::string(900'000, 'x'));
  v1::TokenizeResponse response;
  grpc::Status status = client_->Tokenize(&context_, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
}

TEST_F(UnaryTest, ARequestInGzipIsUnpacked) {
  Start();
  context_.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::TokenizeRequest request;
  request.add_texts(std::string(10'000, 'x'));
  v1::TokenizeResponse response;
  grpc::Status status = client_->Tokenize(&context_, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.inputs_size(), 1);
  EXPECT_EQ(response.inputs(0).token_ids_size(), 10'000);
}

TEST_F(UnaryTest, ARequestInGzipIsUnpackedUpToTheLimit) {
  limits_.max_request_bytes = 1000;
  Start();
  context_.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::TokenizeRequest request;
  request.add_texts(std::string(1'000'000, 'x'));
  v1::TokenizeResponse response;
  grpc::Status status = client_->Tokenize(&context_, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
}

TEST_F(UnaryTest, AMethodThatTheServerDoesNotHaveIsRefusedWithDetails) {
  Start();
  for (const char* method : {"/hydrophone.v1.ActivationService/Gradients", "/other.Service/Call", "/nonsense"}) {
    grpc::Status status = CallRaw(method, "");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(ReasonOf(status), "NOT_BUILT");
    EXPECT_THAT(status.error_message(), HasSubstr(method));
  }
}

TEST_F(UnaryTest, MoreCallsThanMayBeOpenAreRefusedWithATimeToRetry) {
  options_.max_open_calls = 0;
  Start();
  v1::GetModelResponse response;
  grpc::Status status = client_->GetModel(&context_, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(status).has_value());
  ASSERT_EQ(context_.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"), 1u);
  EXPECT_EQ(context_.GetServerTrailingMetadata().find("grpc-retry-pushback-ms")->second, "1000");
}

TEST_F(UnaryTest, AFullPoolIsOverloaded) {
  options_.max_waiting_calls = 0;
  Start();
  v1::GetModelResponse response;
  grpc::Status status = client_->GetModel(&context_, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");
}

TEST_F(UnaryTest, ADeadlineInThePastIsDeadlineExceeded) {
  clock_ = &fake_clock_;
  Start();
  fake_clock_.Advance(SetFarDeadline(&context_) - fake_clock_.Now());
  v1::GetModelResponse response;
  grpc::Status status = client_->GetModel(&context_, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(status), "DEADLINE");
}

TEST_F(UnaryTest, CallsAreCounted) {
  Start();
  v1::GetModelResponse response;
  ASSERT_TRUE(client_->GetModel(&context_, {}, &response).ok());
  EXPECT_FALSE(CallRaw(kTokenize, "\x0a\xff").ok());
  metrics_.AwaitHandled("GetModel OK");
  metrics_.AwaitHandled("Tokenize InvalidArgument");
  EXPECT_EQ(metrics_.started("GetModel"), 1);
  EXPECT_EQ(metrics_.received("GetModel"), 1);
  EXPECT_EQ(metrics_.sent("GetModel"), 1);
  EXPECT_EQ(metrics_.sent("Tokenize"), 0);
}

}  // namespace
}  // namespace hydrophone
