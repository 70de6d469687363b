#include "server/base/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydrophone {
namespace {

using ::testing::HasSubstr;

std::string Refusal(absl::string_view text) { return std::string(ParseAddress(text).status().message()); }

TEST(AddressTest, AnAddressIsWrittenAsItWasRead) {
  for (const char* text : {"127.0.0.1:50051", "lab.example:1", "[::1]:7162", "0.0.0.0:0", "unix:/run/a.sock"}) {
    const absl::StatusOr<Address> address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->text(), text);
  }
  EXPECT_EQ(ParseAddress("unix:///run/a.sock")->text(), "unix:/run/a.sock");
}

TEST(AddressTest, ItsPartsAreTakenApart) {
  EXPECT_EQ(ParseAddress("[fe80::1]:65535")->host, "fe80::1");
  EXPECT_EQ(ParseAddress("[fe80::1]:65535")->port, 65535);
  EXPECT_EQ(ParseAddress("unix:relative.sock")->unix_path, "relative.sock");
}

TEST(AddressTest, ThisMachinesAddressesAreLoopback) {
  for (const char* text : {"127.0.0.1:1", "127.3.2.1:1", "localhost:1", "[::1]:1", "[0:0:0:0:0:0:0:1]:1", "unix:a"}) {
    EXPECT_TRUE(ParseAddress(text)->is_loopback()) << text;
  }
  for (const char* text :
       {"10.0.0.1:1", "lab:1", "0.0.0.0:1", "[::]:1", "127.0.0.1.example:1", "127.example:1", "[::127.0.0.1]:1"}) {
    EXPECT_FALSE(ParseAddress(text)->is_loopback()) << text;
  }
}

TEST(AddressTest, WhatIsWrongIsSaid) {
  EXPECT_EQ(Refusal("7160"), "got \"7160\", which has no port; expected HOST:PORT, [IPv6]:PORT or unix:PATH");
  EXPECT_THAT(Refusal("http://lab:50051"), HasSubstr("a URL"));
  EXPECT_THAT(Refusal("127.0.0.1:99999"), HasSubstr("a port above 65535"));
  EXPECT_THAT(Refusal("127.0.0.1:65536"), HasSubstr("a port above 65535"));
  EXPECT_THAT(Refusal("127.0.0.1:"), HasSubstr("no port"));
  EXPECT_THAT(Refusal("127.0.0.1:-1"), HasSubstr("no port"));
  EXPECT_THAT(Refusal("127.0.0.1:1x"), HasSubstr("no port"));
  EXPECT_THAT(Refusal("lab"), HasSubstr("no port"));
  EXPECT_THAT(Refusal("[::1]"), HasSubstr("no port"));
  EXPECT_THAT(Refusal("::1:7162"), HasSubstr("without brackets"));
  EXPECT_THAT(Refusal("[lab]:1"), HasSubstr("no IPv6 address"));
  EXPECT_THAT(Refusal(":50051"), HasSubstr("no host"));
  EXPECT_THAT(Refusal("a b:1"), HasSubstr("no host"));
  EXPECT_THAT(Refusal(""), HasSubstr("no port"));
  EXPECT_THAT(Refusal("unix:"), HasSubstr("no path"));
}

}  // namespace
}  // namespace hydrophone
