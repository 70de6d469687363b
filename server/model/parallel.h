// Work split over the engine's threads, with everything inside each piece on one thread.
#ifndef HYDROPHONE_SERVER_MODEL_PARALLEL_H_
#define HYDROPHONE_SERVER_MODEL_PARALLEL_H_

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

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

// Calls work(task) for each task in [0, tasks), on several threads: each takes the next one when it is done with its last, since tasks
// differ in size and threads are held up by others.
template <typename Work>
void ForEachTask(int64_t tasks, const Work& work) {
  std::atomic<int64_t> next = 0;
  const int64_t workers = std::min<int64_t>(tasks, at::get_num_threads());
  at::parallel_for(0, workers, 1, [&](int64_t, int64_t) {
    c10::InferenceMode inference;  // thread-local, as the next: each worker sets its own
    SingleThreadedBlas blas;
    for (int64_t task = next++; task < tasks; task = next++) work(task);
  });
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_PARALLEL_H_
