#include "client/cpp/files/spool.h"

#include "client/cpp/files/atomic_output.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::IsEmpty;

TEST(Spool, GivesBytesBackInAnyOrder) {
  const TemporaryDirectory directory;
  const auto spool = Spool::Create(directory.path());
  ASSERT_TRUE(spool.ok()) << spool.status();
  const auto first = (*spool)->Append("first ");
  const auto second = (*spool)->Append("second ");
  ASSERT_TRUE(first.ok() && second.ok());
  auto output = AtomicFile::Create(directory / "out");
  ASSERT_TRUE(output.ok());
  for (const Segment& segment : {*second, *first, *second}) {
    ASSERT_TRUE((*spool)->CopyTo(segment, (*output)->file()).ok());
  }
  ASSERT_TRUE((*output)->Commit().ok());
  EXPECT_EQ(ReadFile(directory / "out"), "second first second ");
}

// A process that is killed leaves what has a name.
TEST(Spool, HasNoName) {
  const TemporaryDirectory directory;
  const auto spool = Spool::Create(directory.path());
  ASSERT_TRUE(spool.ok()) << spool.status();
  ASSERT_TRUE((*spool)->Append("bytes").ok());
  EXPECT_THAT(directory.List(), IsEmpty());
}

TEST(Spool, ADirectoryThatIsNotThereIsNamed) {
  const auto spool = Spool::Create("/no/such/directory");
  EXPECT_THAT(std::string(spool.status().message()), ::testing::HasSubstr("/no/such/directory"));
}

}  // namespace
}  // namespace hydrophone::client
