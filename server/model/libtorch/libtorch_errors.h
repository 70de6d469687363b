// Turns libtorch's exceptions into statuses: libtorch throws, nothing above the model does.
#ifndef HYDROPHONE_SERVER_MODEL_LIBTORCH_LIBTORCH_ERRORS_H_
#define HYDROPHONE_SERVER_MODEL_LIBTORCH_LIBTORCH_ERRORS_H_

#include <c10/util/Exception.h>

#include <exception>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/core/errors.h"
#include "server/core/out_of_memory.h"

namespace hydrophone {

// Whether libtorch got no memory. It has a type for that on GPUs; on the CPU, and for page-locked memory, only its
// words tell: those of its allocators of x86-64, of arm64, and of CUDA's host memory.
inline bool IsOutOfMemory(const c10::Error& error) {
  const absl::string_view what = error.what_without_backtrace();
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         absl::StrContains(what, "can't allocate memory") || absl::StrContains(what, "not enough memory") ||
         absl::StrContains(what, "out of memory");
}

// Calls work(). When it throws: RESOURCE_EXHAUSTED (OUT_OF_MEMORY) when memory, also a GPU's, ran out, else INTERNAL.
template <typename Work>
absl::Status CatchingLibtorch(Work work) {
  try {
    return OrOutOfMemory(work);
  } catch (const c10::Error& error) {
    if (IsOutOfMemory(error)) return OutOfMemory();
    return absl::InternalError(absl::StrCat("libtorch: ", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("the forward pass failed: ", error.what()));
  }
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_LIBTORCH_LIBTORCH_ERRORS_H_
