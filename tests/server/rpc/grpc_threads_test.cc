#include "server/rpc/grpc_threads.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

// This process's threads of the executor that gRPC's calls use, by the name that the system has for them.
int ExecutorThreads() {
  int count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (absl::StartsWith(name, "default-exec")) ++count;
  }
  return count;
}

class GrpcThreadsTest : public RpcFixture {
 protected:
  GrpcThreadsTest() { Start(); }
};

TEST_F(GrpcThreadsTest, AServerHasAllOfItsThreadsBeforeTheFirstCall) {
  EXPECT_EQ(ExecutorThreads(), MostExecutorThreads());
}

TEST_F(GrpcThreadsTest, ThreadsThatAreThereAreKept) {
  EXPECT_TRUE(StartExecutorThreads().ok());
  EXPECT_EQ(ExecutorThreads(), MostExecutorThreads());
}

}  // namespace
}  // namespace hydrophone
