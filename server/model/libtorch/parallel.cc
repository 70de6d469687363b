#include "server/model/libtorch/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>

#ifndef _OPENMP
#error "Without OpenMP libtorch's parallel_for is a loop on one thread: see CMakeLists.txt."
#endif

namespace hydrophone {

void OnThreads(int64_t threads, absl::FunctionRef<void()> work) {
  const int64_t used = std::min<int64_t>(threads, at::get_num_threads());
  at::parallel_for(0, used, 1, [&](int64_t begin, int64_t end) {
    if (begin < end) work();
  });
}

}  // namespace hydrophone
