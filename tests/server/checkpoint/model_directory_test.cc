#include "server/checkpoint/model_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ErrorOf(const std::string& given) { return std::string(FindModelDirectory(given).status().message()); }

// A hub cache in the directory, with these snapshots.
std::string Cache(const TempDirectory& directory, const std::vector<std::string>& snapshots, const std::string& main) {
  const std::string cache = directory.File("models--openai--gpt2-large");
  for (const std::string& snapshot : snapshots) std::filesystem::create_directories(cache + "/snapshots/" + snapshot);
  std::filesystem::create_directories(cache + "/refs");
  if (!main.empty()) directory.Write("models--openai--gpt2-large/refs/main", main);
  return cache;
}

TEST(ModelDirectoryTest, ADirectoryIsItselfByItsLastComponent) {
  TempDirectory directory;
  for (const char* name : {"my-gpt2", "modèle"}) {
    const std::string path = directory.File(name);
    std::filesystem::create_directories(path);
    EXPECT_EQ(FindModelDirectory(path)->path, path);
    EXPECT_EQ(FindModelDirectory(path)->name, name);
    EXPECT_EQ(FindModelDirectory(path + "/")->name, name);
  }
}

TEST(ModelDirectoryTest, ANameThatIsNoUtf8IsEscaped) {
  TempDirectory directory;
  const std::string path = directory.File("bad\xff");
  std::filesystem::create_directories(path);
  EXPECT_EQ(FindModelDirectory(path)->name, "bad\\xff");
}

TEST(ModelDirectoryTest, AHubCacheIsItsMainSnapshotByTheModelsName) {
  TempDirectory directory;
  const std::string cache = Cache(directory, {"abc", "def"}, "def\n");
  EXPECT_EQ(FindModelDirectory(cache)->path, cache + "/snapshots/def");
  EXPECT_EQ(FindModelDirectory(cache)->name, "gpt2-large");
}

TEST(ModelDirectoryTest, AHubCacheWithoutAMainIsItsOnlySnapshot) {
  TempDirectory directory;
  EXPECT_EQ(FindModelDirectory(Cache(directory, {"abc"}, ""))->path,
            directory.File("models--openai--gpt2-large/snapshots/abc"));
}

TEST(ModelDirectoryTest, AHubCacheWithoutTheSnapshotIsRefused) {
  TempDirectory two, none;
  EXPECT_THAT(ErrorOf(Cache(two, {"abc", "def"}, "")), HasSubstr("a hub cache with 2 snapshots; give the one"));
  EXPECT_THAT(ErrorOf(Cache(none, {"abc"}, "xyz")), HasSubstr("none of them that of refs/main"));
}

TEST(ModelDirectoryTest, AHubsNameMustBeDownloadedFirst) {
  for (const char* name : {"gpt2", "openai/gpt2-xl"}) {
    EXPECT_THAT(ErrorOf(name), AllOf(HasSubstr("there is no directory"), HasSubstr("hf download ")));
  }
  EXPECT_THAT(ErrorOf("/no/such/place"), AllOf(HasSubstr("there is no directory"), Not(HasSubstr("download"))));
}

TEST(ModelDirectoryTest, AFileIsNoDirectory) {
  TempDirectory directory;
  directory.Write("model.safetensors", "x");
  EXPECT_THAT(ErrorOf(directory.File("model.safetensors")), HasSubstr("is a file, expected a directory"));
}

}  // namespace
}  // namespace hydrophone
