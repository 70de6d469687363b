#include "client/cpp/tensor_bytes.h"

#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydrophone::client {

absl::StatusOr<TensorBytes> TensorBytes::CopyOf(absl::string_view bytes) {
  TensorBytesBuilder builder;
  if (!builder.Reserve(bytes.size())) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for a tensor of ", bytes.size(), " bytes"));
  }
  builder.Append(bytes);
  return builder.Finish();
}

bool TensorBytesBuilder::Reserve(size_t capacity) {
  if (capacity <= capacity_) return true;
  TensorMemory memory = AllocateTensorMemory(capacity);
  if (memory == nullptr) return false;
  if (size_ > 0) std::memcpy(memory.get(), memory_.get(), size_);
  memory_ = std::move(memory);
  capacity_ = capacity;
  return true;
}

void TensorBytesBuilder::Append(absl::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(memory_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

TensorBytes TensorBytesBuilder::Finish() {
  TensorBytes finished(std::shared_ptr<const char>(std::move(memory_)), size_);
  size_ = capacity_ = 0;
  return finished;
}

}  // namespace hydrophone::client
