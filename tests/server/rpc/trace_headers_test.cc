#include "server/rpc/trace_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hydrophone {
namespace {

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

TEST(TraceHeadersTest, PrintableRequestIdsAreTakenUpToTheirBound) {
  EXPECT_TRUE(IsRequestId("7f3a-11/notebook=3"));
  EXPECT_TRUE(IsRequestId(std::string(128, '~')));
  EXPECT_FALSE(IsRequestId(""));
  EXPECT_FALSE(IsRequestId(std::string(129, 'a')));
  for (const char* bad : {"a b", "a\nb", "a\tb", "\x1b[31m", "caf\xc3\xa9", "\x7f"})
    EXPECT_FALSE(IsRequestId(bad)) << bad;
}

TEST(TraceHeadersTest, RequestIdsMadeHereAreAllDifferent) {
  const std::string first = NewRequestId();
  EXPECT_THAT(first, testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_NE(first, NewRequestId());
}

TEST(TraceHeadersTest, AWellFormedTraceparentIsKept) {
  EXPECT_EQ(NormalTraceparent(kTraceparent), kTraceparent);
  EXPECT_EQ(NormalTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
}

TEST(TraceHeadersTest, AMalformedTraceparentIsNone) {
  for (const char* bad : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",      // longer than version 00 is
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",  // the same
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",       // no version
                          "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",  // upper case
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",  // no trace
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",  // no parent
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
                          "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01"}) {
    EXPECT_EQ(NormalTraceparent(bad), "") << bad;
  }
}

TEST(TraceHeadersTest, OfALaterVersionTheKnownPartsAreRead) {
  for (const char* later : {"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"}) {
    EXPECT_EQ(NormalTraceparent(later), kTraceparent) << later;
  }
  EXPECT_EQ(NormalTraceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what"), "");
}

TEST(TraceHeadersTest, BothAreReadFromTheMetadata) {
  const TraceHeaders headers = ReadTraceHeaders({{"x-request-id", "mine"}, {"traceparent", kTraceparent}});
  EXPECT_EQ(headers.request_id, "mine");
  EXPECT_EQ(headers.traceparent, kTraceparent);
}

TEST(TraceHeadersTest, ACallWithoutAUsableRequestIdGetsOne) {
  for (const Metadata& metadata :
       {Metadata{}, Metadata{{"x-request-id", "two words"}}, Metadata{{"x-request-id", "a"}, {"x-request-id", "b"}}}) {
    EXPECT_THAT(ReadTraceHeaders(metadata).request_id, testing::MatchesRegex("[0-9a-f]{32}"));
  }
}

TEST(TraceHeadersTest, TwoTraceparentsAreNone) {
  EXPECT_EQ(ReadTraceHeaders({{"traceparent", kTraceparent}, {"traceparent", kTraceparent}}).traceparent, "");
}

}  // namespace
}  // namespace hydrophone
