#include "server/model/parallel.h"

// From MKL's mkl_service.h, which libtorch's packages do not carry. Weak: libtorch may have been built with another BLAS.
extern "C" __attribute__((weak)) int MKL_Set_Num_Threads_Local(int threads);

namespace hydrophone {

SingleThreadedBlas::SingleThreadedBlas() {
  if (MKL_Set_Num_Threads_Local != nullptr) before_ = MKL_Set_Num_Threads_Local(1);
}

SingleThreadedBlas::~SingleThreadedBlas() {
  if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(before_);
}

}  // namespace hydrophone
