#include "server/rpc/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/core/errors.h"
#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

TEST(StatusTest, OkHasNoDetails) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_EQ(ToGrpcStatus(absl::OkStatus()).error_details(), "");
}

TEST(StatusTest, PlainStatusesGetTheirCodesReason) {
  struct Case {
    absl::Status status;
    grpc::StatusCode code;
    std::string reason;
  };
  for (const Case& each : {
           Case{absl::InvalidArgumentError("m"), grpc::StatusCode::INVALID_ARGUMENT, "BAD_REQUEST"},
           Case{absl::UnimplementedError("m"), grpc::StatusCode::UNIMPLEMENTED, "NOT_BUILT"},
           Case{absl::FailedPreconditionError("m"), grpc::StatusCode::FAILED_PRECONDITION, "PRECONDITION"},
           Case{absl::ResourceExhaustedError("m"), grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"},
           Case{absl::UnavailableError("m"), grpc::StatusCode::UNAVAILABLE, "DRAINING"},
           Case{absl::CancelledError("m"), grpc::StatusCode::CANCELLED, "CANCELLED"},
           Case{absl::DeadlineExceededError("m"), grpc::StatusCode::DEADLINE_EXCEEDED, "DEADLINE"},
           Case{absl::InternalError("m"), grpc::StatusCode::INTERNAL, "INTERNAL"},
           Case{absl::NotFoundError("m"), grpc::StatusCode::INTERNAL, "INTERNAL"},
           Case{absl::DataLossError("m"), grpc::StatusCode::INTERNAL, "INTERNAL"},
       }) {
    grpc::Status status = ToGrpcStatus(each.status);
    EXPECT_EQ(status.error_code(), each.code) << each.status;
    EXPECT_EQ(status.error_message(), "m");
    EXPECT_EQ(ReasonOf(status), each.reason) << each.status;
    google::rpc::Status details;
    ASSERT_TRUE(details.ParseFromString(status.error_details()));
    EXPECT_EQ(details.code(), each.code);
    EXPECT_EQ(details.message(), "m");
  }
}

TEST(StatusTest, OurOwnReasonsWin) {
  EXPECT_EQ(ReasonOf(ToGrpcStatus(TooLarge("inputs", 7, 5, "tokens"))), "TOO_LARGE");
  EXPECT_EQ(ReasonOf(ToGrpcStatus(Draining(absl::Seconds(1)))), "DRAINING");
}

TEST(StatusTest, ABadRequestNamesItsFieldsAndCountsThem) {
  Violations violations;
  for (int i = 0; i < 20; ++i) violations.Add(absl::StrCat("inputs[", i, "]"), "bad");
  grpc::Status status = ToGrpcStatus(violations.ToStatus());
  EXPECT_EQ(FieldsOf(status).size(), 16u);
  EXPECT_EQ(FieldsOf(status)[15], "inputs[15]");
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status)->metadata().at("violations"), "20");
  EXPECT_THAT(status.error_message(), testing::HasSubstr("19 more"));
}

TEST(StatusTest, WhatMayBeTriedAgainSaysWhen) {
  grpc::Status status = ToGrpcStatus(Overloaded("busy", absl::Milliseconds(1250)));
  auto retry = DetailOf<google::rpc::RetryInfo>(status);
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->retry_delay().seconds(), 1);
  EXPECT_EQ(retry->retry_delay().nanos(), 250'000'000);
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(ToGrpcStatus(absl::UnavailableError("m"))).has_value());
  EXPECT_FALSE(DetailOf<google::rpc::RetryInfo>(ToGrpcStatus(absl::InternalError("m"))).has_value());
}

TEST(StatusTest, AHostileRequestsErrorStaysSmall) {
  Violations violations;
  for (int i = 0; i < 16; ++i) violations.Add(std::string(10'000, 'f'), std::string(10'000, 'd'));
  grpc::Status status = ToGrpcStatus(violations.ToStatus());
  EXPECT_LE(status.error_message().size() + status.error_details().size(), kMaxStatusBytes);
  EXPECT_GE(FieldsOf(status).size(), 1u);
  EXPECT_EQ(ReasonOf(status), "BAD_REQUEST");
}

TEST(StatusTest, LongTextsAreCutBetweenCharacters) {
  std::string euros;
  for (int i = 0; i < 1000; ++i) euros += "\xE2\x82\xAC";
  std::string message = ToGrpcStatus(absl::InternalError(euros)).error_message();
  EXPECT_LE(message.size(), 1024u);
  EXPECT_EQ(message.size() % 3, 0u) << "whole characters and three dots";
}

TEST(StatusTest, CodesAreSpelledAsGrpcSpellsThem) {
  EXPECT_STREQ(CodeName(grpc::StatusCode::OK), "OK");
  EXPECT_STREQ(CodeName(grpc::StatusCode::DEADLINE_EXCEEDED), "DeadlineExceeded");
  EXPECT_STREQ(CodeName(grpc::StatusCode::RESOURCE_EXHAUSTED), "ResourceExhausted");
  EXPECT_STREQ(CodeName(grpc::StatusCode::UNAUTHENTICATED), "Unauthenticated");
  EXPECT_STREQ(CodeName(grpc::StatusCode::DO_NOT_USE), "Unknown");
  EXPECT_EQ(CodeNames().size(), 17u);
  EXPECT_EQ(CodeNames()[static_cast<size_t>(grpc::StatusCode::INTERNAL)], "Internal");
}

TEST(StatusTest, EveryRefusalsUsualReasonIsOneThatRefusalsAreCountedBy) {
  for (auto code :
       {absl::StatusCode::kInvalidArgument, absl::StatusCode::kUnimplemented, absl::StatusCode::kFailedPrecondition,
        absl::StatusCode::kResourceExhausted, absl::StatusCode::kUnavailable}) {
    const std::string usual = EndOf(absl::Status(code, "m")).reason;
    EXPECT_THAT(RefusalReasons(), testing::Contains(testing::Eq(absl::string_view(usual))));
  }
  const std::string given = EndOf(TooLarge("inputs", 7, 5, "tokens")).reason;
  EXPECT_THAT(RefusalReasons(), testing::Contains(testing::Eq(absl::string_view(given))));
}

TEST(StatusTest, ACallThatWentWellEndsWithoutAReason) {
  EXPECT_EQ(EndOf(absl::OkStatus()).code, grpc::StatusCode::OK);
  EXPECT_EQ(EndOf(absl::OkStatus()).reason, "");
}

}  // namespace
}  // namespace hydrophone
