#include "client/cpp/files/atomic_output.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(AtomicFile, AppearsWithCommitAndReplacesWhatWasThere) {
  const TemporaryDirectory directory;
  WriteFile(directory / "x", "old");
  auto output = AtomicFile::Create(directory / "x");
  ASSERT_TRUE(output.ok()) << output.status();
  ASSERT_TRUE((*output)->file().Write("new").ok());
  EXPECT_EQ(ReadFile(directory / "x"), "old");
  ASSERT_TRUE((*output)->Commit().ok());
  EXPECT_EQ(ReadFile(directory / "x"), "new");
  EXPECT_THAT(directory.List(), ElementsAre("x"));
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const TemporaryDirectory directory;
  {
    auto output = AtomicFile::Create(directory / "x");
    ASSERT_TRUE(output.ok());
    ASSERT_TRUE((*output)->file().Write("half").ok());
  }
  EXPECT_THAT(directory.List(), IsEmpty());
}

TEST(AtomicFile, SaysWhyItCannotBeMade) {
  const TemporaryDirectory directory;
  EXPECT_THAT(std::string(AtomicFile::Create(directory / "no/such/x").status().message()), HasSubstr("No such file"));
  EXPECT_THAT(std::string(AtomicFile::Create(directory.path()).status().message()), HasSubstr("is a directory"));
}

TEST(AtomicDirectory, AppearsWithCommit) {
  const TemporaryDirectory directory;
  auto output = AtomicDirectory::Create(directory / "captures/");
  ASSERT_TRUE(output.ok()) << output.status();
  FileDescriptor file = (*output)->NewFile("a");
  ASSERT_TRUE(file.Write("1").ok());
  ASSERT_TRUE(file.Close().ok());
  EXPECT_FALSE(std::filesystem::exists(directory / "captures"));
  ASSERT_TRUE((*output)->Commit().ok());
  EXPECT_EQ(ReadFile(directory / "captures/a"), "1");
  EXPECT_THAT(directory.List(), ElementsAre("captures"));
}

TEST(AtomicDirectory, LeavesNothingWithoutCommit) {
  const TemporaryDirectory directory;
  {
    auto output = AtomicDirectory::Create(directory / "captures");
    ASSERT_TRUE(output.ok());
    ASSERT_TRUE((*output)->NewFile("a").Write("1").ok());
  }
  EXPECT_THAT(directory.List(), IsEmpty());
}

TEST(AtomicDirectory, TakesAnEmptyDirectoryAndNoOther) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "empty");
  std::filesystem::create_directory(directory / "full");
  WriteFile(directory / "full/precious", "data");
  auto output = AtomicDirectory::Create(directory / "empty");
  ASSERT_TRUE(output.ok());
  EXPECT_TRUE((*output)->Commit().ok());
  EXPECT_THAT(std::string(AtomicDirectory::Create(directory / "full").status().message()),
              HasSubstr("not an empty directory"));
  EXPECT_EQ(ReadFile(directory / "full/precious"), "data");
}

TEST(AtomicFileAlone, WritesOverWhatAKilledProcessLeft) {
  const TemporaryDirectory directory;
  WriteFile(directory / ".out.partial", "longer than what comes");
  auto output = AtomicFile::CreateAlone(directory / "out");
  ASSERT_TRUE(output.ok()) << output.status();
  ASSERT_TRUE((*output)->file().Write("bytes").ok());
  ASSERT_TRUE((*output)->Commit().ok());
  EXPECT_EQ(ReadFile(directory / "out"), "bytes");
  EXPECT_THAT(directory.List(), ElementsAre("out"));
}

}  // namespace
}  // namespace hydrophone::client
