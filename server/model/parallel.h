// Work split over the engine's threads, with everything inside each piece on one thread.
#ifndef HYDROPHONE_SERVER_MODEL_PARALLEL_H_
#define HYDROPHONE_SERVER_MODEL_PARALLEL_H_

#include <c10/core/InferenceMode.h>

#include <atomic>
#include <cstdint>

#include "absl/functional/function_ref.h"

namespace hydrophone {

// While it lives, MKL computes this thread's products on this thread alone. Without it, MKL splits a product, even inside a parallel
// region, and where it splits depends on the number of threads, and so do the bits. Does nothing for another BLAS.
class SingleThreadedBlas {
 public:
  SingleThreadedBlas();
  ~SingleThreadedBlas();
  SingleThreadedBlas(const SingleThreadedBlas&) = delete;
  SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;

 private:
  int before_ = 0;
};

// Calls work() at the same time on `threads` of libtorch's intra-op threads, the caller's among them, or on as many as there are
// (at::get_num_threads(), which each calling thread sets for itself); returns when all have come back. Inside another such call: on
// the caller's alone.
void OnThreads(int64_t threads, absl::FunctionRef<void()> work);

// Calls work(task) for each task in [0, tasks), on several threads: each takes the next one when it is done with its last, since tasks
// differ in size and threads are held up by others.
template <typename Work>
void ForEachTask(int64_t tasks, const Work& work) {
  std::atomic<int64_t> next = 0;
  OnThreads(tasks, [&] {
    c10::InferenceMode inference;  // thread-local, as the next: each worker sets its own
    SingleThreadedBlas blas;
    for (int64_t task = next++; task < tasks; task = next++) work(task);
  });
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_PARALLEL_H_
