#include "server/base/read_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace hydrophone {
namespace {

class ReadFileTest : public testing::Test {
 protected:
  std::string Written(const std::string& bytes) {
    const std::string path = testing::TempDir() + "/read_file_test_" + std::to_string(::getpid());
    std::ofstream(path, std::ios::binary) << bytes;
    written_ = path;
    return path;
  }
  ~ReadFileTest() override {
    if (!written_.empty()) std::filesystem::remove(written_);
  }

  std::string written_;
};

TEST_F(ReadFileTest, GivesEveryByte) {
  const std::string bytes("a\0b\r\n\xFF", 6);
  EXPECT_EQ(*ReadWholeFile(Written(bytes), 100), bytes);
  EXPECT_EQ(*ReadWholeFile(Written(""), 100), "");
}

TEST_F(ReadFileTest, ReadsAFileOfTheMostBytesAndRefusesOneMore) {
  const std::string path = Written(std::string(100, 'x'));
  EXPECT_EQ(ReadWholeFile(path, 100)->size(), 100u);
  const absl::Status refused = ReadWholeFile(path, 99).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "is 100 bytes, more than the 99 that are read");
}

TEST_F(ReadFileTest, SaysWhyAFileCannotBeRead) {
  const absl::Status missing = ReadWholeFile("/nowhere/at/all", 100).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(missing.message(), "no such file");
  const absl::Status directory = ReadWholeFile(testing::TempDir(), 100).status();
  EXPECT_EQ(directory.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(directory.message(), "not a regular file");
}

TEST_F(ReadFileTest, DoesNotWaitForAPipe) {
  const std::string path = testing::TempDir() + "/read_file_pipe_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  written_ = path;
  EXPECT_EQ(ReadWholeFile(path, 100).status().message(), "not a regular file");
}

}  // namespace
}  // namespace hydrophone
