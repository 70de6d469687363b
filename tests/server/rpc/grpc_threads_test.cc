#include "server/rpc/grpc_threads.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
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

// The same, once there are as many as expected, or after ten seconds: a thread has its name when it first runs.
int ExecutorThreadsInTheEnd() {
  const absl::Time end = absl::Now() + absl::Seconds(10);
  while (ExecutorThreads() < MostExecutorThreads() && absl::Now() < end) std::this_thread::yield();
  return ExecutorThreads();
}

class GrpcThreadsTest : public RpcFixture {
 protected:
  GrpcThreadsTest() { Start(); }
};

TEST_F(GrpcThreadsTest, AServerHasAllOfItsThreadsBeforeTheFirstCall) {
  EXPECT_EQ(ExecutorThreadsInTheEnd(), MostExecutorThreads());
}

TEST_F(GrpcThreadsTest, ThreadsThatAreThereAreKept) {
  EXPECT_TRUE(StartExecutorThreads().ok());
  EXPECT_EQ(ExecutorThreadsInTheEnd(), MostExecutorThreads());
}

}  // namespace
}  // namespace hydrophone
