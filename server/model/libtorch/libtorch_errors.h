// Turns libtorch's exceptions into statuses: libtorch throws, nothing above the model does.
#ifndef HYDROPHONE_SERVER_MODEL_LIBTORCH_LIBTORCH_ERRORS_H_
#define HYDROPHONE_SERVER_MODEL_LIBTORCH_LIBTORCH_ERRORS_H_

#include <c10/util/Exception.h>

#include <exception>
#include <new>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {

// Calls work(). INTERNAL when it throws, also when memory runs out.
template <typename Work>
absl::Status CatchingLibtorch(Work work) {
  try {
    work();
    return absl::OkStatus();
  } catch (const c10::Error& error) {
    return absl::InternalError(absl::StrCat("libtorch: ", error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return absl::InternalError("out of memory in the forward pass");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("the forward pass failed: ", error.what()));
  }
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_LIBTORCH_LIBTORCH_ERRORS_H_
