#include "client/cpp/errors.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_service.h"

namespace hydrophone::client {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Errors, KeepCodeMessageReasonFieldsAndDelay) {
  const absl::Status status = FromGrpcStatus(
      StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "2 fields are wrong", "BAD_REQUEST",
                        {{"hooks[0].hook_point", "got \"x\""}, {"inputs[3].text", "got nothing"}}, absl::Seconds(2)));
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(status.message(), "2 fields are wrong");
  EXPECT_EQ(ReasonOf(status), "BAD_REQUEST");
  ASSERT_THAT(ViolationsOf(status), SizeIs(2));
  EXPECT_EQ(ViolationsOf(status)[1].field, "inputs[3].text");
  EXPECT_EQ(RetryAfterOf(status), absl::Seconds(2));
}

TEST(Errors, DescribeNamesEachFieldOnALineOfItsOwn) {
  const absl::Status status =
      FromGrpcStatus(StatusWithDetails(grpc::StatusCode::RESOURCE_EXHAUSTED, "busy", "OVERLOADED",
                                       {{"inputs[3].text", "got nothing"}}, absl::Milliseconds(1500)));
  EXPECT_EQ(Describe(status),
            "RESOURCE_EXHAUSTED: busy [OVERLOADED]\n  inputs[3].text: got nothing\n  try again in 1.5s");
}

TEST(Errors, DescribeDoesNotSayTheSameTwice) {
  const absl::Status status = FromGrpcStatus(StatusWithDetails(
      grpc::StatusCode::INVALID_ARGUMENT, "texts[0]: got nothing", "BAD_REQUEST", {{"texts[0]", "got nothing"}}));
  EXPECT_EQ(Describe(status), "INVALID_ARGUMENT: texts[0]: got nothing [BAD_REQUEST]");
}

TEST(Errors, StatusesWithoutDetailsHaveNone) {
  const absl::Status status = FromGrpcStatus(grpc::Status(grpc::StatusCode::INTERNAL, "oops"));
  EXPECT_EQ(ReasonOf(status), "");
  EXPECT_THAT(ViolationsOf(status), IsEmpty());
  EXPECT_EQ(RetryAfterOf(status), std::nullopt);
  EXPECT_EQ(Describe(status), "INTERNAL: oops");
}

TEST(Errors, DetailsThatAreNoProtobufAreLeftOut) {
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::INTERNAL, "oops", "\xff\xff not a message"));
  EXPECT_EQ(Describe(status), "INTERNAL: oops");
}

TEST(Errors, InputIndicesAreToldInTheWholeRequestsTerms) {
  const absl::Status part = FromGrpcStatus(
      StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "wrong", "BAD_REQUEST",
                        {{"inputs[3].text", "a"}, {"hooks[3].layers[0]", "b"}, {"inputs", "c"}, {"inputs[x]", "d"}}));
  const auto violations = ViolationsOf(ShiftIndices(part, 100, 0));
  ASSERT_THAT(violations, SizeIs(4));
  EXPECT_EQ(violations[0].field, "inputs[103].text");
  EXPECT_EQ(violations[1].field, "hooks[3].layers[0]");
  EXPECT_EQ(violations[2].field, "inputs");
  EXPECT_EQ(violations[3].field, "inputs[x]");
}

TEST(ShiftedText, InputsAndRunsThatItMentionsAreCountedOverAll) {
  EXPECT_EQ(ShiftedText("got run 4 of one token, beside runs[2].key", 100, 200),
            "got run 204 of one token, beside runs[202].key");
  EXPECT_EQ(ShiftedText("inputs[1]: run [x] \"run 1\"", 100, 200), "inputs[101]: run [x] \"run 1\"");
  EXPECT_EQ(ShiftedText("hooks[0].runs[1], rerun 1", 100, 200), "hooks[0].runs[1], rerun 1");
}

TEST(ShiftIndices, TheMessageSpeaksOfTheWholeRequestToo) {
  const absl::Status part = FromGrpcStatus(StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "inputs[3]: no text",
                                                             "BAD_REQUEST", {{"inputs[3]", "no text"}}));
  EXPECT_EQ(Describe(ShiftIndices(part, 100, 0)), "INVALID_ARGUMENT: inputs[103]: no text [BAD_REQUEST]");
}

}  // namespace
}  // namespace hydrophone::client
