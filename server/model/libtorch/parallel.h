// Splits work over the engine's threads; each piece of it runs on one thread.
#ifndef HYDROPHONE_SERVER_MODEL_LIBTORCH_PARALLEL_H_
#define HYDROPHONE_SERVER_MODEL_LIBTORCH_PARALLEL_H_

#include <c10/core/InferenceMode.h>

#include <atomic>
#include <cstdint>

#include "absl/functional/function_ref.h"

namespace hydrophone {

// Calls work() at the same time on `threads` of libtorch's intra-op threads, the caller's among them, or on as many as
// there are (at::get_num_threads(), which each calling thread sets for itself); returns when all have come back. Inside
// another such call: on the caller's alone.
void OnThreads(int64_t threads, absl::FunctionRef<void()> work);

// Calls work(task) for each task in [0, tasks), on several threads: each takes the next one when it is done with its
// last, since tasks differ in size and threads are held up by others.
template <typename Work>
void ForEachTask(int64_t tasks, const Work& work) {
  std::atomic<int64_t> next = 0;
  OnThreads(tasks, [&] {
    c10::InferenceMode inference;  // thread-local: each worker sets its own
    for (int64_t task = next++; task < tasks; task = next++) work(task);
  });
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_LIBTORCH_PARALLEL_H_
