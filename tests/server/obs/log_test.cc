#include "server/obs/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydrophone {
namespace {

CallRecord ExampleCall() {
  CallRecord call;
  call.method = "Extract";
  call.caller = "a \"name\"\n";
  call.request_id = "7f3a";
  call.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  call.inputs = 1;
  call.tokens = 17;
  call.request_bytes = 60;
  call.response_bytes = 4096;
  call.queued = absl::Microseconds(250);
  call.computed = absl::Milliseconds(7);
  call.code = "ResourceExhausted";
  call.reason = "OVERLOADED";
  call.message = "quotes the request";
  call.elapsed = absl::Milliseconds(9);
  return call;
}

TEST(LogTest, AnUnknownLevelIsRefusedWithTheChoice) {
  EXPECT_TRUE(SetLogLevel("warning").ok());
  EXPECT_TRUE(SetLogLevel("info").ok());
  absl::Status refused = SetLogLevel("loud");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "log level: got \"loud\", expected debug, info, warning, error or off");
}

TEST(LogTest, ACallsLineTellsEverythingButTheMessage) {
  EXPECT_EQ(LogLine("call", CallFields(ExampleCall(), false), LogFormat::kLogfmt),
            "msg=\"call\" method=Extract caller=\"a \\\"name\\\"\\n\" request_id=7f3a "
            "traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 inputs=1 tokens=17 request_bytes=60 "
            "response_bytes=4096 queue_seconds=0.000250 compute_seconds=0.007000 code=ResourceExhausted "
            "reason=OVERLOADED seconds=0.009000");
}

TEST(LogTest, TheMessageIsForThoseThatAskForIt) {
  EXPECT_THAT(LogLine("call", CallFields(ExampleCall(), true), LogFormat::kLogfmt),
              testing::EndsWith("error=\"quotes the request\""));
}

TEST(LogTest, NumbersAreNumbersInJson) {
  EXPECT_THAT(LogLine("call", CallFields(ExampleCall(), false), LogFormat::kJson),
              testing::HasSubstr("\"tokens\":17,\"request_bytes\":60,"));
}

TEST(LogTest, WhatACallHasNotIsLeftOut) {
  CallRecord call = ExampleCall();
  call.traceparent = call.reason = "";
  const std::string line = LogLine("call", CallFields(call, true), LogFormat::kLogfmt);
  EXPECT_THAT(line, testing::Not(testing::HasSubstr("traceparent")));
  EXPECT_THAT(line, testing::Not(testing::HasSubstr("reason")));
}

TEST(LogTest, LongNamesAreCut) {
  CallRecord call = ExampleCall();
  call.caller = call.method = std::string(100'000, 'x');
  EXPECT_LE(LogLine("call", CallFields(call, false), LogFormat::kLogfmt).size(), 1024u);
}

TEST(LogTest, AnUnknownFormatIsRefusedWithTheChoice) {
  EXPECT_TRUE(SetLogFormat("json").ok());
  EXPECT_TRUE(SetLogFormat("logfmt").ok());
  EXPECT_EQ(SetLogFormat("xml").message(), "log format: got \"xml\", expected logfmt or json");
}

}  // namespace
}  // namespace hydrophone
