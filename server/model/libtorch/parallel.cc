#include "server/model/libtorch/parallel.h"

#include <ATen/Parallel.h>

#include "server/model/libtorch/thread_pool.h"

namespace hydrophone {
namespace {

// Lives until the process ends, because a thread may compute until then.
ThreadPool& Pool() {
  static auto& pool = *new ThreadPool(KeepLibtorchOnThisThread);
  return pool;
}

}  // namespace

void SetThreads(int threads) { Pool().SetThreads(threads); }
int Threads() { return Pool().threads(); }
void SetAwake(std::chrono::microseconds awake) { Pool().SetAwake(awake); }

void KeepLibtorchOnThisThread() {
  thread_local bool kept = false;
  if (!kept) at::set_num_threads(1);
  kept = true;
}

void OnThreads(int64_t threads, absl::FunctionRef<void()> work) { Pool().Run(threads, work); }

}  // namespace hydrophone
