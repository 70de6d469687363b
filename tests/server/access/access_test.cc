#include "server/access/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/access/bearer.h"
#include "server/base/sha256.h"
#include "server/core/errors.h"
#include "tests/fakes/fake_clock.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Line(const std::string& token, const std::string& rest) {
  return absl::StrCat("sha256=", Sha256Hex(token), " ", rest, "\n");
}

class AccessTest : public testing::Test {
 protected:
  ~AccessTest() override { std::filesystem::remove(path_); }

  void Write(const std::string& text) const {
    const std::string next = path_ + ".next";
    std::ofstream(next) << text;
    std::filesystem::rename(next, path_);
  }

  std::unique_ptr<Access> Load() {
    auto access = Access::Load(path_, &clock_, [this](const absl::Status& status) { reloads_.push_back(status); });
    EXPECT_TRUE(access.ok()) << access.status();
    return *std::move(access);
  }

  static absl::StatusOr<std::unique_ptr<Permit>> Admit(Access* access, const std::string& header,
                                                       Role role = Role::kUse) {
    const std::vector<absl::string_view> headers = {header};
    return access->Admit(headers, "ipv4:127.0.0.1:1", role);
  }

  const std::string path_ = absl::StrCat(testing::TempDir(), "/access_test_tokens_",
                                         testing::UnitTest::GetInstance()->current_test_info()->name());
  FakeClock clock_;
  std::vector<absl::Status> reloads_;
};

TEST_F(AccessTest, WithoutTokensThePeerIsTheCallerAndMayDoEverything) {
  Access access;
  EXPECT_FALSE(access.has_tokens());
  const auto permit = access.Admit({}, "ipv4:127.0.0.1:1", Role::kOperate);
  ASSERT_TRUE(permit.ok());
  EXPECT_EQ((*permit)->caller().name, "ipv4:127.0.0.1:1");
  EXPECT_EQ((*permit)->caller().weight, 1u);
  EXPECT_TRUE((*permit)->Take(1 << 30, 1 << 30).ok());
}

TEST_F(AccessTest, ATokenGivesItsNameWeightAndLimits) {
  Write(Line("a", "name=alice weight=7 requests=1"));
  const auto access = Load();
  const auto permit = Admit(access.get(), "Bearer a");
  ASSERT_TRUE(permit.ok()) << permit.status();
  EXPECT_EQ((*permit)->caller().name, "alice");
  EXPECT_EQ((*permit)->caller().weight, 7u);
  EXPECT_EQ(ReasonOf(Admit(access.get(), "bearer a").status()), "CALLER_LIMIT");
  (*permit)->End();
  EXPECT_TRUE(Admit(access.get(), "bearer a").ok()) << "the scheme's case is free";
}

TEST_F(AccessTest, MissingMalformedAndUnknownTokensAreUnauthenticated) {
  Write(Line("a", "name=alice"));
  const auto access = Load();
  const struct {
    std::vector<absl::string_view> headers;
    std::string reason;
  } cases[] = {
      {{}, "NO_TOKEN"},
      {{"Basic YTpi"}, "BAD_TOKEN"},
      {{"a"}, "BAD_TOKEN"},
      {{"Bearer "}, "BAD_TOKEN"},
      {{"Bearer a a"}, "BAD_TOKEN"},
      {{"Bearer a", "Bearer a"}, "BAD_TOKEN"},
      {{"Bearer b"}, "UNKNOWN_TOKEN"},
      {{"Bearer aa"}, "UNKNOWN_TOKEN"},
  };
  for (const auto& each : cases) {
    const absl::Status refused = access->Admit(each.headers, "peer", Role::kUse).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnauthenticated) << each.reason;
    EXPECT_EQ(ReasonOf(refused), each.reason) << each.headers.size();
  }
  const std::string long_token = "Bearer " + std::string(5000, 'x');
  EXPECT_EQ(ReasonOf(Admit(access.get(), long_token).status()), "BAD_TOKEN");
}

TEST_F(AccessTest, ARefusalHoldsNothingOfTheToken) {
  Write(Line("a", "name=alice"));
  const auto access = Load();
  for (const char* header : {"Bearer marker", "marker", "Bearer marker\x01", "Basic marker"}) {
    EXPECT_THAT(std::string(Admit(access.get(), header).status().message()), Not(HasSubstr("marker")));
  }
}

TEST_F(AccessTest, ARoleThatIsMissingIsPermissionDenied) {
  Write(Line("a", "name=alice") + Line("r", "name=root role=operate"));
  const auto access = Load();
  const absl::Status refused = Admit(access.get(), "Bearer a", Role::kOperate).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(refused), "ROLE");
  EXPECT_TRUE(Admit(access.get(), "Bearer r", Role::kOperate).ok());
  EXPECT_TRUE(Admit(access.get(), "Bearer r", Role::kUse).ok());
}

TEST_F(AccessTest, AChangedFileHoldsWithinASecond) {
  Write(Line("a", "name=alice requests=1"));
  const auto access = Load();
  const auto open = Admit(access.get(), "Bearer a");
  Write(Line("b", "name=alice requests=1"));
  EXPECT_EQ(ReasonOf(Admit(access.get(), "Bearer b").status()), "UNKNOWN_TOKEN") << "looked at most once a second";
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(ReasonOf(Admit(access.get(), "Bearer a").status()), "UNKNOWN_TOKEN");
  EXPECT_EQ(ReasonOf(Admit(access.get(), "Bearer b").status()), "CALLER_LIMIT") << "the open call counts on";
  ASSERT_EQ(reloads_.size(), 1u);
  EXPECT_TRUE(reloads_[0].ok());
}

TEST_F(AccessTest, ABrokenFileLeavesTheOldTokensAndIsToldOnce) {
  Write(Line("a", "name=alice"));
  const auto access = Load();
  Write("nonsense\n");
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Seconds(2));
    EXPECT_TRUE(Admit(access.get(), "Bearer a").ok());
  }
  ASSERT_EQ(reloads_.size(), 1u);
  EXPECT_THAT(std::string(reloads_[0].message()), HasSubstr(absl::StrCat(path_, ": line 1: ")));
  std::filesystem::remove(path_);
  clock_.Advance(absl::Seconds(2));
  EXPECT_TRUE(Admit(access.get(), "Bearer a").ok());
  EXPECT_EQ(reloads_.back().code(), absl::StatusCode::kNotFound);
  Write(Line("b", "name=bob"));
  clock_.Advance(absl::Seconds(2));
  EXPECT_TRUE(Admit(access.get(), "Bearer b").ok());
}

TEST_F(AccessTest, AFileThatCannotBeReadIsToldWithItsPath) {
  const auto missing = Access::Load(path_, &clock_, nullptr);
  EXPECT_EQ(missing.status().message(), path_ + ": no such file");
  Write("sha256=1\n");
  EXPECT_THAT(std::string(Access::Load(path_, &clock_, nullptr).status().message()), HasSubstr(path_ + ": line 1: "));
}

TEST_F(AccessTest, AnEndedPermitTakesNothing) {
  Write(Line("a", "name=alice bytes_in_flight=10"));
  const auto access = Load();
  const auto first = Admit(access.get(), "Bearer a");
  EXPECT_TRUE((*first)->Take(1, 10).ok());
  const auto second = Admit(access.get(), "Bearer a");
  EXPECT_FALSE((*second)->Take(1, 1).ok());
  (*first)->End();
  EXPECT_TRUE((*first)->Take(1, 10).ok());
  EXPECT_TRUE((*second)->Take(1, 10).ok());
}

}  // namespace
}  // namespace hydrophone
