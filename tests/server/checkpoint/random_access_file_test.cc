#include "server/checkpoint/random_access_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;

TEST(RandomAccessFileTest, ReadsAtAnyPlace) {
  TempDirectory directory;
  directory.Write("f", "0123456789");
  const absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(directory.File("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->size(), 10u);
  std::string bytes(4, ' ');
  ASSERT_TRUE(file->Read(3, absl::MakeSpan(bytes)).ok());
  EXPECT_EQ(bytes, "3456");
  ASSERT_TRUE(file->Read(0, absl::MakeSpan(bytes)).ok());
  EXPECT_EQ(bytes, "0123");
}

TEST(RandomAccessFileTest, ReadingBeyondTheEndIsDataLoss) {
  TempDirectory directory;
  directory.Write("f", "0123456789");
  const absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(directory.File("f"));
  ASSERT_TRUE(file.ok());
  std::string bytes(4, ' ');
  EXPECT_EQ(file->Read(8, absl::MakeSpan(bytes)).code(), absl::StatusCode::kDataLoss);
}

TEST(RandomAccessFileTest, StaysTheSameFileWhenAnotherTakesItsName) {
  TempDirectory directory;
  directory.Write("f", "old");
  absl::StatusOr<RandomAccessFile> opened = RandomAccessFile::Open(directory.File("f"));
  ASSERT_TRUE(opened.ok());
  const RandomAccessFile file = *std::move(opened);
  directory.Write("g", "new");
  std::filesystem::rename(directory.File("g"), directory.File("f"));
  std::string bytes(3, ' ');
  ASSERT_TRUE(file.Read(0, absl::MakeSpan(bytes)).ok());
  EXPECT_EQ(bytes, "old");
}

TEST(RandomAccessFileTest, AssignmentMovesTheSizeToo) {
  TempDirectory directory;
  directory.Write("short", "abc");
  directory.Write("long", "0123456789");
  absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(directory.File("short"));
  absl::StatusOr<RandomAccessFile> other = RandomAccessFile::Open(directory.File("long"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(other.ok());
  *file = *std::move(other);
  EXPECT_EQ(file->path(), directory.File("long"));
  EXPECT_EQ(file->size(), 10u);
}

TEST(RandomAccessFileTest, OpensRegularFilesOnly) {
  TempDirectory directory;
  EXPECT_EQ(RandomAccessFile::Open(directory.File("none")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(RandomAccessFile::Open(directory.path()).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(::mkfifo(directory.File("pipe").c_str(), 0600), 0);
  EXPECT_EQ(RandomAccessFile::Open(directory.File("pipe")).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(RandomAccessFileTest, FollowsLinks) {
  TempDirectory directory;
  directory.Write("blob", "bytes");
  std::filesystem::create_symlink("blob", directory.File("link"));
  const absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(directory.File("link"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->size(), 5u);
}

TEST(ReadSmallFileTest, ReadsAllOrRefusesTheSize) {
  TempDirectory directory;
  directory.Write("f", "0123456789");
  directory.Write("empty", "");
  EXPECT_EQ(ReadSmallFile(directory.File("f"), 10).value(), "0123456789");
  EXPECT_EQ(ReadSmallFile(directory.File("empty"), 10).value(), "");
  const absl::Status status = ReadSmallFile(directory.File("f"), 9).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("has 10 bytes, expected at most 9"));
}

}  // namespace
}  // namespace hydrophone
