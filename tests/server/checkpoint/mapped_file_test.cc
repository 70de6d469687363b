#include "server/checkpoint/mapped_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {
namespace {

using Opener = absl::StatusOr<FileBytes> (*)(const RandomAccessFile&);

class FileBytesTest : public ::testing::TestWithParam<Opener> {};

TEST_P(FileBytesTest, BytesOutliveTheOpenFileAndItsName) {
  TempDirectory directory;
  const std::string content(100'001, 'x');
  directory.Write("f", content);
  FileBytes bytes;
  {
    const absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(directory.File("f"));
    ASSERT_TRUE(file.ok());
    const absl::StatusOr<FileBytes> opened = GetParam()(*file);
    ASSERT_TRUE(opened.ok()) << opened.status();
    bytes = *opened;
  }
  ASSERT_EQ(std::remove(directory.File("f").c_str()), 0);
  EXPECT_EQ(bytes.bytes, content);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes.bytes.data()) % 64, 0u);
}

// Of the mapping that begins at `address`.
int ResidentKilobytes(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const std::string begin = absl::StrCat(absl::Hex(reinterpret_cast<uintptr_t>(address)), "-");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    if (absl::StartsWith(line, begin)) found = true;
    if (found && absl::StartsWith(line, "Rss:")) return std::atoi(line.c_str() + 4);
  }
  return -1;
}

TEST(MappedFileTest, PagesThatAreGivenBackAreFilledAgain) {
  const int page = static_cast<int>(::sysconf(_SC_PAGESIZE));
  constexpr int kPages = 16;
  TempDirectory directory;
  std::string content(static_cast<size_t>(kPages * page), 'x');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 % 251);
  directory.Write("f", content);
  const absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(directory.File("f"));
  ASSERT_TRUE(file.ok());
  const absl::StatusOr<FileBytes> mapped = MapFile(*file);
  ASSERT_TRUE(mapped.ok());
  EXPECT_TRUE(mapped->mapped);
  EXPECT_EQ(mapped->bytes, content);
  EXPECT_EQ(ResidentKilobytes(mapped->bytes.data()), kPages * page / 1024);
  GiveBackPages(mapped->bytes.substr(100, 100));  // no whole page
  EXPECT_EQ(ResidentKilobytes(mapped->bytes.data()), kPages * page / 1024);
  GiveBackPages(mapped->bytes.substr(100));
  EXPECT_EQ(ResidentKilobytes(mapped->bytes.data()), page / 1024) << "the page that is given back in part stays";
  EXPECT_EQ(mapped->bytes, content);
}

TEST_P(FileBytesTest, AnEmptyFileHasNoBytes) {
  TempDirectory directory;
  directory.Write("f", "");
  const absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(directory.File("f"));
  ASSERT_TRUE(file.ok());
  const absl::StatusOr<FileBytes> bytes = GetParam()(*file);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_TRUE(bytes->bytes.empty());
}

INSTANTIATE_TEST_SUITE_P(MappedAndCopied, FileBytesTest, ::testing::Values(&MapFile, &CopyFile));

TEST(CopyFileTest, ACopyIsApartFromTheFile) {
  TempDirectory directory;
  directory.Write("f", "before");
  const absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(directory.File("f"));
  ASSERT_TRUE(file.ok());
  const absl::StatusOr<FileBytes> bytes = CopyFile(*file);
  ASSERT_TRUE(bytes.ok());
  directory.Write("f", "");
  EXPECT_EQ(bytes->bytes, "before");
}

}  // namespace
}  // namespace hydrophone
