#include "server/rpc/grpc_threads.h"

#include <grpc/support/cpu.h>
#include <grpcpp/alarm.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

// So many jobs for one thread make gRPC's executor start another.
constexpr int kJobsForAnother = 3;

// How long threads may take to do jobs that take no time.
constexpr std::chrono::seconds kPatience{5};

// gRPC's pools beside the executor have at most so many threads each, and one for each processor.
constexpr int kMostOfAPool = 16;
constexpr int kPools = 2;

// Other threads, which do not depend on the number of processors: timers, and this program's own for connections.
constexpr int kOthers = 8;

int Processors() { return std::max(1, static_cast<int>(gpr_cpu_num_cores())); }

int MostThreads() { return MostExecutorThreads() + kPools * std::min(kMostOfAPool, Processors()) + kOthers; }

absl::Status TooFew(int got) {
  return absl::UnavailableError(
      absl::StrCat("gRPC and connections need up to ", MostThreads(), " threads on a machine of ", Processors(),
                   " processors, and the system refused all but ", got,
                   ": is there a limit of threads (pids.max of the container, ulimit -u) or of address space "
                   "(ulimit -v; each thread takes 8 MiB of it)?"));
}

// Jobs that all wait until they are let go.
class WaitingJobs {
 public:
  explicit WaitingJobs(int count) : left_(count) {}

  void RunOne() {
    released_.wait();
    if (--left_ == 0) done_.set_value();
  }

  // Lets them go; whether all of them end soon.
  bool Release() {
    release_.set_value();
    return done_.get_future().wait_for(kPatience) == std::future_status::ready;
  }

 private:
  std::promise<void> release_;
  const std::shared_future<void> released_ = release_.get_future().share();
  std::atomic<int> left_;
  std::promise<void> done_;
};

}  // namespace

int MostExecutorThreads() { return 2 * Processors(); }

absl::Status CheckThreads() {
  std::promise<void> enough;
  const std::shared_future<void> end = enough.get_future().share();
  std::vector<std::thread> threads;
  try {
    while (static_cast<int>(threads.size()) < MostThreads()) threads.emplace_back([end] { end.wait(); });
  } catch (const std::system_error&) {  // counted below
  }
  enough.set_value();
  for (std::thread& thread : threads) thread.join();
  const int got = static_cast<int>(threads.size());
  return got == MostThreads() ? absl::OkStatus() : TooFew(got);
}

absl::Status StartExecutorThreads() {
  const int count = kJobsForAnother * MostExecutorThreads();
  // Jobs of a thread that the system refused run when gRPC ends, if ever: they own what they touch.
  const auto jobs = std::make_shared<WaitingJobs>(count);
  std::vector<grpc::Alarm> alarms(static_cast<size_t>(count));
  // An alarm whose time is past gives its function to the executor before Set returns.
  const std::chrono::system_clock::time_point past;
  for (grpc::Alarm& alarm : alarms) alarm.Set(past, [jobs](bool) { jobs->RunOne(); });
  if (jobs->Release()) return absl::OkStatus();
  return absl::UnavailableError("the system gave gRPC fewer threads than a moment ago: what it refused is not done");
}

}  // namespace hydrophone
