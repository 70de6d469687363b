#include "client/cpp/cli/access_options.h"

#include <stdlib.h>

#include <fstream>
#include <sstream>
#include <string>

#include "client/cpp/cli/command_line.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/cli/command_line_fixture.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AccessOptionsTest : public CommandLineTest {
 protected:
  ~AccessOptionsTest() override { unsetenv("HYDROPHONE_TOKEN"); }

  std::string File(const std::string& name, const std::string& text) const {
    const std::string path = directory_ / name;
    std::ofstream(path) << text;
    return path;
  }

  std::string Refusal(const AccessOptions& options, const std::string& server = "127.0.0.1:1") const {
    return std::string(ReadCredentials(options, server).status().message());
  }
};

TEST_F(AccessOptionsTest, ATokenComesFromItsFileOrTheEnvironment) {
  setenv("HYDROPHONE_TOKEN", "from-the-environment", 1);
  EXPECT_EQ(ReadCredentials({}, "127.0.0.1:1")->token, "from-the-environment");
  EXPECT_EQ(ReadCredentials({.token_file = File("token", "from-the-file\n")}, "127.0.0.1:1")->token, "from-the-file");
}

TEST_F(AccessOptionsTest, WhatIsNoTokenIsToldByFileAndNeverRepeated) {
  EXPECT_EQ(Refusal({.token_file = "/no/such"}), "--token_file /no/such: no such file");
  EXPECT_THAT(Refusal({.token_file = File("empty", " \n")}), HasSubstr("empty: got an empty file, expected one token"));
  EXPECT_THAT(Refusal({.token_file = File("two", "secret\nsecret\n")}), HasSubstr("got other characters"));
  EXPECT_THAT(Refusal({.token_file = File("two", "secret\nsecret\n")}), Not(HasSubstr("secret")));
  setenv("HYDROPHONE_TOKEN", "sec ret", 1);
  EXPECT_THAT(Refusal({}), HasSubstr("HYDROPHONE_TOKEN: got other characters"));
}

TEST_F(AccessOptionsTest, ATokenForAnotherMachineWantsTlsOrTheWord) {
  const AccessOptions token{.token_file = File("token", "secret")};
  EXPECT_THAT(Refusal(token, "lab:1"), HasSubstr("--tls keeps it secret, --insecure sends it all the same"));
  AccessOptions tls = token;
  tls.tls = true;
  EXPECT_EQ(Refusal(tls, "lab:1"), "");
  AccessOptions insecure = token;
  insecure.insecure = true;
  EXPECT_EQ(Refusal(insecure, "lab:1"), "");
}

TEST_F(AccessOptionsTest, TheFilesOfTlsAreReadAndAskForIt) {
  const std::string certificate = File("crt", "-----BEGIN CERTIFICATE-----\n");
  const std::string key = File("key", "-----BEGIN PRIVATE KEY-----\n");
  EXPECT_FALSE(ReadCredentials({}, "lab:1")->tls.has_value());
  EXPECT_EQ(ReadCredentials({.tls_ca = certificate}, "lab:1")->tls->ca_pem, "-----BEGIN CERTIFICATE-----\n");
  const auto own = ReadCredentials({.tls_certificate = certificate, .tls_key = key}, "lab:1");
  EXPECT_EQ(own->tls->key_pem, "-----BEGIN PRIVATE KEY-----\n");
  EXPECT_EQ(Refusal({.tls_ca = "/no/such"}), "--tls_ca /no/such: no such file");
  EXPECT_THAT(Refusal({.tls_ca = key}), HasSubstr("expected PEM with \"-----BEGIN CERTIFICATE-----\""));
}

TEST_F(AccessOptionsTest, ACertificateWithoutItsKeyIsAMistake) {
  EXPECT_EQ(Run({"--tls_certificate", "x", "model"}).status, 2);
  EXPECT_EQ(Run({"--tls_key", "x", "model"}).status, 2);
}

TEST_F(AccessOptionsTest, ThereIsNoOptionThatShowsATokenInTheListOfProcesses) {
  const Result result = Run({"--token", "secret", "model"});
  EXPECT_EQ(result.status, 2);
}

TEST_F(AccessOptionsTest, ARefusalIsUsageAndCompletionAsksNoServer) {
  setenv("HYDROPHONE_TOKEN", "secret", 1);
  std::istringstream in;
  std::ostringstream out, err;
  EXPECT_EQ(RunCommandLine({"model", "--server", "lab.invalid:1"}, in, out, err), 2);
  EXPECT_THAT(err.str(), HasSubstr("hydrophone: the token would go to lab.invalid:1 in plaintext"));
  EXPECT_EQ(RunCommandLine({"completion", "bash", "--server", "lab.invalid:1"}, in, out, err), 0);
}

TEST_F(AccessOptionsTest, AdviceFollowsTheError) {
  const Credentials plain;
  const Credentials tls{.tls = TlsOptions()};
  EXPECT_THAT(AccessAdvice(absl::UnauthenticatedError(""), plain), HasSubstr("--token_file"));
  EXPECT_THAT(AccessAdvice(absl::UnavailableError("Socket closed"), plain), HasSubstr("--tls"));
  EXPECT_THAT(AccessAdvice(absl::UnavailableError("... CERTIFICATE_VERIFY_FAILED ..."), tls), HasSubstr("--tls_ca"));
  EXPECT_THAT(AccessAdvice(absl::UnavailableError("Peer name a is not in peer certificate"), tls),
              HasSubstr("name in --server"));
  EXPECT_THAT(AccessAdvice(absl::UnavailableError("Socket closed"), tls), HasSubstr("plaintext"));
  EXPECT_EQ(AccessAdvice(absl::InvalidArgumentError(""), plain), "");
}

}  // namespace
}  // namespace hydrophone::client
