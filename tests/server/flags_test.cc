#include "server/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <optional>
#include <string>
#include <vector>

namespace hydrophone {
namespace {

using ::testing::HasSubstr;

class FlagsTest : public testing::Test {
 protected:
  ~FlagsTest() override { unsetenv("HYDROPHONE_LISTEN"); }

  std::optional<Flags> Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "hydrophone-server");
    exit_code_ = -1;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    auto flags =
        ParseFlags(static_cast<int>(arguments.size()), arguments.data(), "/default/model", "version 9", &exit_code_);
    stdout_ = testing::internal::GetCapturedStdout();
    stderr_ = testing::internal::GetCapturedStderr();
    return flags;
  }

  int exit_code_ = -1;
  std::string stdout_;
  std::string stderr_;
};

TEST_F(FlagsTest, DefaultsServeTheDefaultModelOnTheLoopback) {
  auto flags = Parse({});
  ASSERT_TRUE(flags.has_value()) << stderr_;
  EXPECT_EQ(flags->model, "/default/model");
  EXPECT_EQ(flags->listen, "127.0.0.1:50051");
  EXPECT_EQ(flags->metrics_listen, "127.0.0.1:9464");
  EXPECT_EQ(flags->limits.max_queued_requests, Limits().max_queued_requests);
}

TEST_F(FlagsTest, AFlagWinsOverItsEnvironmentVariable) {
  setenv("HYDROPHONE_LISTEN", "127.0.0.1:1", 1);
  ASSERT_TRUE(Parse({}).has_value()) << stderr_;
  EXPECT_EQ(Parse({})->listen, "127.0.0.1:1");
  EXPECT_EQ(Parse({"--listen=127.0.0.1:2"})->listen, "127.0.0.1:2");
}

TEST_F(FlagsTest, AnAddressThatIsNoneIsAMistake) {
  for (const char* argument : {"--metrics_listen=7160", "--listen=127.0.0.1:99999", "--listen=127.0.0.1:65536",
                               "--listen=http://127.0.0.1:1", "--metrics_listen=unix:/tmp/a", "--listen=::1:7162"}) {
    EXPECT_FALSE(Parse({argument}).has_value()) << argument;
    EXPECT_EQ(exit_code_, 2) << argument;
    EXPECT_THAT(stderr_, HasSubstr("expected HOST:PORT")) << argument;
  }
  EXPECT_TRUE(Parse({"--listen=unix:/tmp/a.sock"}).has_value());
  EXPECT_TRUE(Parse({"--listen=[::1]:7162"}).has_value());
}

TEST_F(FlagsTest, ALimitAboveTheOneThatBoundsItIsRefusedWithBoth) {
  EXPECT_FALSE(Parse({"--slice_tokens=5000", "--max_batch_tokens=4096"}).has_value());
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(stderr_, HasSubstr("got 5000, above --max_batch_tokens, which is 4096"));
  EXPECT_FALSE(Parse({"--short_tokens=2000", "--slice_tokens=1000"}).has_value());
  EXPECT_THAT(stderr_, HasSubstr("got 2000, above --slice_tokens, which is 1000"));
}

TEST_F(FlagsTest, AVariableThatNoFlagReadsIsAWarning) {
  setenv("HYDROPHONE_MAX_BATCH_TOKEN", "1", 1);
  setenv("HYDROPHONE_PORT_50051_TCP", "tcp://10.0.0.1:50051", 1);
  setenv("HYDROPHONE_TEST_DEVICE", "cpu", 1);
  const auto flags = Parse({});
  unsetenv("HYDROPHONE_MAX_BATCH_TOKEN");
  unsetenv("HYDROPHONE_PORT_50051_TCP");
  unsetenv("HYDROPHONE_TEST_DEVICE");
  ASSERT_EQ(flags->warnings.size(), 1u);
  EXPECT_EQ(flags->warnings[0],
            "no flag reads the environment variable HYDROPHONE_MAX_BATCH_TOKEN; the nearest is "
            "HYDROPHONE_MAX_BATCH_TOKENS");
}

TEST_F(FlagsTest, VariablesOfClientsScriptsAndTestsAreNoMistakes) {
  const char* const theirs[] = {"HYDROPHONE_SERVER", "HYDROPHONE_SERVER_BINARY", "HYDROPHONE_TOKEN",
                                "HYDROPHONE_CACHE",  "HYDROPHONE_BUILD_DIR",     "HYDROPHONE_TEST_LONG"};
  for (const char* variable : theirs) setenv(variable, "1", 1);
  const auto flags = Parse({});
  for (const char* variable : theirs) unsetenv(variable);
  EXPECT_TRUE(flags->warnings.empty()) << flags->warnings[0];
}

TEST_F(FlagsTest, TheMetricsPortCanBeTurnedOff) {
  for (const char* off : {"--metrics_listen=", "--metrics_listen=off"}) {
    auto flags = Parse({off});
    ASSERT_TRUE(flags.has_value()) << stderr_;
    EXPECT_EQ(flags->metrics_listen, "") << off;
  }
}

TEST_F(FlagsTest, WithoutTlsAndTokensOtherMachinesDoNotReachIt) {
  const std::vector<std::vector<const char*>> open = {
      {"--listen=0.0.0.0:1"},
      {"--listen=[::]:1"},
      {"--listen=lab:1"},
      {"--listen=127.0.0.1.example:1"},
      {"--listen=0.0.0.0:1", "--token_digests=t"},
      {"--listen=0.0.0.0:1", "--tls_certificate=c", "--tls_key=k"},
      {"--listen=0.0.0.0:1", "--insecure_metrics"},
  };
  for (const auto& arguments : open) {
    EXPECT_FALSE(Parse(arguments).has_value()) << arguments[0];
    EXPECT_EQ(exit_code_, 2);
    EXPECT_THAT(stderr_, HasSubstr("--tls_certificate and --tls_key with --token_digests (or --tls_client_ca), or "
                                   "--insecure"));
  }
  EXPECT_FALSE(Parse({"--metrics_listen=0.0.0.0:1", "--insecure"}).has_value());
  EXPECT_THAT(stderr_, HasSubstr("or --insecure_metrics"));
  const std::vector<std::vector<const char*>> closed = {
      {"--listen=localhost:1"},
      {"--listen=[::1]:1"},
      {"--listen=127.8.8.8:1"},
      {"--listen=unix:/tmp/a"},
      {"--listen=0.0.0.0:1", "--token_digests=t", "--tls_certificate=c", "--tls_key=k"},
      {"--listen=0.0.0.0:1", "--tls_client_ca=a", "--tls_certificate=c", "--tls_key=k"},
  };
  for (const auto& arguments : closed) {
    const auto flags = Parse(arguments);
    ASSERT_TRUE(flags.has_value()) << stderr_;
    EXPECT_THAT(flags->warnings, testing::IsEmpty());
  }
}

TEST_F(FlagsTest, WhatIsOpenByNameIsAWarning) {
  const auto flags = Parse({"--listen=0.0.0.0:1", "--insecure", "--metrics_listen=0.0.0.0:2", "--insecure_metrics"});
  ASSERT_TRUE(flags.has_value()) << stderr_;
  ASSERT_EQ(flags->warnings.size(), 2u);
  EXPECT_THAT(flags->warnings[0], HasSubstr("--insecure: other machines reach 0.0.0.0:1"));
  EXPECT_THAT(flags->warnings[1], HasSubstr("--insecure_metrics: other machines read 0.0.0.0:2"));
}

TEST_F(FlagsTest, AHalfOfWhatTlsNeedsIsAMistake) {
  for (const char* half : {"--tls_key=k", "--tls_certificate=c", "--tls_client_ca=a"}) {
    EXPECT_FALSE(Parse({half}).has_value()) << half;
    EXPECT_EQ(exit_code_, 2);
    EXPECT_THAT(stderr_, HasSubstr("beside it")) << half;
  }
}

TEST_F(FlagsTest, ReflectionWantsTheRoleWhereThereAreTokens) {
  EXPECT_EQ(Parse({})->reflection, "open");
  EXPECT_EQ(Parse({"--token_digests=t"})->reflection, "operate");
  EXPECT_EQ(Parse({"--token_digests=t", "--reflection=open"})->reflection, "open");
  EXPECT_EQ(Parse({"--reflection=off"})->reflection, "off");
  EXPECT_FALSE(Parse({"--reflection=operate"}).has_value());
  EXPECT_THAT(stderr_, HasSubstr("expected --token_digests beside it"));
  EXPECT_FALSE(Parse({"--reflection=closed"}).has_value());
}

TEST_F(FlagsTest, HelpGivesUnitsDefaultsAndTheEnvironment) {
  EXPECT_FALSE(Parse({"--help"}).has_value());
  EXPECT_EQ(exit_code_, 0);
  EXPECT_THAT(stdout_, HasSubstr("--listen ADDRESS (127.0.0.1:50051)"));
  EXPECT_THAT(stdout_, HasSubstr("--max_batch_tokens TOKENS (16384)"));
  EXPECT_THAT(stdout_, HasSubstr("HYDROPHONE_LISTEN"));
}

TEST_F(FlagsTest, VersionIsPrinted) {
  EXPECT_FALSE(Parse({"--version"}).has_value());
  EXPECT_EQ(exit_code_, 0);
  EXPECT_EQ(stdout_, "version 9\n");
}

TEST_F(FlagsTest, MistakesAreToldOnStderr) {
  for (const char* mistake : {"--lisen=1", "--threads=x", "--threads=-1", "--max_batch_tokens=0",
                              "--batch_linger_microseconds=-1", "--log_level=loud"}) {
    EXPECT_FALSE(Parse({mistake}).has_value()) << mistake;
    EXPECT_EQ(exit_code_, 2) << mistake;
    EXPECT_NE(stderr_, "") << mistake;
  }
}

TEST_F(FlagsTest, TheLingerMayBeNone) {
  auto flags = Parse({"--batch_linger_microseconds=0"});
  ASSERT_TRUE(flags.has_value()) << stderr_;
  EXPECT_EQ(flags->limits.batch_linger_microseconds, 0u);
}

TEST_F(FlagsTest, ALimitThatAnotherBoundsIsLoweredToIt) {
  auto flags = Parse({"--max_batch_tokens=100", "--response_budget_bytes=1000"});
  ASSERT_TRUE(flags.has_value()) << stderr_;
  EXPECT_EQ(flags->limits.slice_tokens, 100u);
  EXPECT_EQ(flags->limits.short_tokens, 100u);
}

}  // namespace
}  // namespace hydrophone
