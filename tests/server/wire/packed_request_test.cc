#include "server/wire/packed_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/core/errors.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// "Hello", as Python's gzip.compress writes it.
const std::string kHello(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xf3\x48\xcd\xc9\xc9\x07\x00\x82\x89\xd1\xf7\x05\x00\x00\x00", 25);

Limits AtMost(uint64_t bytes) {
  Limits limits;
  limits.max_request_bytes = bytes;
  return limits;
}

TEST(UnpackRequest, LeavesProtobufAlone) {
  for (absl::string_view bytes : {"", "\x0a\x01m", "\x1f"}) {
    auto unpacked = UnpackRequest(bytes, {});
    ASSERT_TRUE(unpacked.ok());
    EXPECT_FALSE(unpacked->has_value());
  }
}

TEST(UnpackRequest, UnpacksUpToTheLimit) {
  auto unpacked = UnpackRequest(kHello, AtMost(5));
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_EQ(*unpacked, "Hello");
}

TEST(UnpackRequest, RefusesMoreThanTheLimitByTheSizeThatTheStreamStates) {
  absl::Status status = UnpackRequest(kHello, AtMost(4)).status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(std::string(status.message()), HasSubstr("4"));
}

TEST(UnpackRequest, RefusesAStreamThatUnpacksToMoreThanItStates) {
  std::string lying = kHello;
  lying[lying.size() - 4] = 4;
  EXPECT_THAT(Lines(UnpackRequest(lying, AtMost(4)).status()),
              ElementsAre("request: got bytes that begin as a gzip stream does, expected one whole stream"));
}

}  // namespace
}  // namespace hydrophone
