#include "server/model/libtorch/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>

#ifdef _GLIBCXX_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifndef _OPENMP
#error "Without OpenMP libtorch's parallel_for is a loop on one thread: see CMakeLists.txt."
#endif

namespace hydrophone {
namespace {

// What comes before a Release() happens before what comes after the next Acquire(). OpenMP's fork and join see to that
// already; this tells it to the thread sanitizer, which does not see into libgomp, and costs nothing in other builds.
#ifdef _GLIBCXX_TSAN
char order;
void Release() { __tsan_release(&order); }
void Acquire() { __tsan_acquire(&order); }
#else
void Release() {}
void Acquire() {}
#endif

}  // namespace

void OnThreads(int64_t threads, absl::FunctionRef<void()> work) {
  const int64_t used = std::min<int64_t>(threads, at::get_num_threads());
  Release();
  at::parallel_for(0, used, 1, [&](int64_t begin, int64_t end) {
    Acquire();
    if (begin < end) work();
    Release();
  });
  Acquire();
}

}  // namespace hydrophone
