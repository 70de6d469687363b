#include "server/model/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>

#ifndef _OPENMP
#error "Without OpenMP libtorch's parallel_for is a loop on one thread: see CMakeLists.txt."
#endif

// From MKL's mkl_service.h, which libtorch's packages do not carry. Weak: libtorch may have been built with another BLAS.
extern "C" __attribute__((weak)) int MKL_Set_Num_Threads_Local(int threads);

namespace hydrophone {

SingleThreadedBlas::SingleThreadedBlas() {
  if (MKL_Set_Num_Threads_Local != nullptr) before_ = MKL_Set_Num_Threads_Local(1);
}

SingleThreadedBlas::~SingleThreadedBlas() {
  if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(before_);
}

void OnThreads(int64_t threads, absl::FunctionRef<void()> work) {
  const int64_t used = std::min<int64_t>(threads, at::get_num_threads());
  at::parallel_for(0, used, 1, [&](int64_t begin, int64_t end) {
    if (begin < end) work();
  });
}

}  // namespace hydrophone
