#include "server/checkpoint/mapped_file.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/server/checkpoint/checkpoint_files.h"

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
