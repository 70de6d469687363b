#include "client/cpp/credentials.h"

#include <string>

#include "client/cpp/client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_service.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CheckCredentials, ATokenStaysOnThisMachineInPlaintext) {
  const Credentials token{.token = "secret"};
  for (const char* address : {"127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/tmp/a"}) {
    EXPECT_TRUE(CheckCredentials(token, address).ok()) << address;
  }
  for (const char* address : {"lab:1", "10.0.0.1:1", "dns:///localhost:1", "127.0.0.1.example:1"}) {
    const absl::Status refused = CheckCredentials(token, address);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << address;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("plaintext"));
    EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("secret")));
  }
}

TEST(CheckCredentials, TlsAndInsecureLetATokenLeave) {
  EXPECT_TRUE(CheckCredentials({.tls = TlsOptions(), .token = "secret"}, "lab:1").ok());
  EXPECT_TRUE(CheckCredentials({.token = "secret", .insecure = true}, "lab:1").ok());
  EXPECT_TRUE(CheckCredentials({}, "lab:1").ok()) << "there is no token to lose";
}

TEST(CheckCredentials, WhatIsNoTokenIsRefusedWithoutRepeatingIt) {
  const absl::Status refused = CheckCredentials({.token = "sec ret"}, "127.0.0.1:1");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("ret")));
}

TEST(CheckCredentials, ACertificateWantsItsKey) {
  EXPECT_FALSE(CheckCredentials({.tls = TlsOptions{.certificate_pem = "c"}}, "lab:1").ok());
  EXPECT_FALSE(CheckCredentials({.tls = TlsOptions{.key_pem = "k"}}, "lab:1").ok());
}

TEST(ClientWithAToken, DoesNotCallWhereTheTokenWouldBeRead) {
  const auto client = Client::Connect({.address = "lab.invalid:1", .credentials = {.token = "secret"}});
  EXPECT_EQ(client->GetModel().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(client->Extract(v1::ExtractRequest()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(client->GetParameters(v1::GetParametersRequest()).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace hydrophone::client
