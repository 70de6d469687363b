// The bytes of a received tensor.
#ifndef HYDROPHONE_CLIENT_CPP_TENSOR_BYTES_H_
#define HYDROPHONE_CLIENT_CPP_TENSOR_BYTES_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cpp/tensor_memory.h"

namespace hydrophone::client {

// Bytes that do not change any more. Copies share them: they are freed with the last one, on that holder's thread.
// Views are valid for as long as any of the copies is.
class TensorBytes {
 public:
  TensorBytes() = default;
  // A copy of `bytes`. RESOURCE_EXHAUSTED when there is no memory for it.
  static absl::StatusOr<TensorBytes> CopyOf(absl::string_view bytes);

  const char* data() const { return data_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  absl::string_view view() const { return {data(), size_}; }

 private:
  friend class TensorBytesBuilder;
  TensorBytes(std::shared_ptr<const char> data, size_t size) : data_(std::move(data)), size_(size) {}

  std::shared_ptr<const char> data_;  // aligned to kTensorAlignment
  size_t size_ = 0;
};

// Memory that is filled from its beginning. Not thread-safe.
//
// clang-format off
//   memory │ bytes appended │ room [not initialised] │
//          0             size()                  capacity
// clang-format on
class TensorBytesBuilder {
 public:
  TensorBytesBuilder() = default;
  TensorBytesBuilder(TensorBytesBuilder&&) = default;
  TensorBytesBuilder& operator=(TensorBytesBuilder&&) = default;

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }

  // Makes room for `capacity` bytes in all, if there is less. Returns false, and changes nothing, when there is no
  // memory for it.
  [[nodiscard]] bool Reserve(size_t capacity);

  // Appends `bytes`. REQUIRES: there is room for them.
  void Append(absl::string_view bytes);

  // The bytes that were appended. The builder is empty afterwards.
  TensorBytes Finish();

 private:
  TensorMemory memory_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_TENSOR_BYTES_H_
