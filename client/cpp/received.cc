#include "client/cpp/received.h"

#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone::client {

// The wire is little-endian and the bytes are used where they lie.
static_assert(std::endian::native == std::endian::little);

size_t ElementSize(v1::Dtype dtype) {
  switch (dtype) {
    case v1::DTYPE_FLOAT32:
      return 4;
    case v1::DTYPE_FLOAT16:
    case v1::DTYPE_BFLOAT16:
      return 2;
    default:
      return 0;
  }
}

absl::StatusOr<std::vector<float>> ToFloats(const ReceivedTensor& tensor) {
  if (tensor.info.dtype() != v1::DTYPE_FLOAT32) {
    return absl::InvalidArgumentError(absl::StrCat(tensor.info.name(), ": got ",
                                                   v1::Dtype_Name(tensor.info.dtype()),
                                                   ", expected DTYPE_FLOAT32"));
  }
  std::vector<float> floats(tensor.bytes.size() / sizeof(float));
  if (!floats.empty())
    std::memcpy(floats.data(), tensor.bytes.data(), floats.size() * sizeof(float));
  return floats;
}

absl::Status GatheringSink::OnHeader(const v1::Header& header) {
  extraction_.header = header;
  return absl::OkStatus();
}

absl::Status GatheringSink::OnInput(v1::InputInfo input) {
  extraction_.inputs.push_back(std::move(input));
  return absl::OkStatus();
}

absl::Status GatheringSink::OnTensor(ReceivedTensor tensor) {
  extraction_.tensors.push_back(std::move(tensor));
  return absl::OkStatus();
}

absl::Status GatheringSink::OnValues(v1::Values values) {
  extraction_.values.push_back(std::move(values));
  return absl::OkStatus();
}

absl::Status GatheringSink::OnTrailer(const v1::Trailer& trailer) {
  extraction_.trailer = trailer;
  return absl::OkStatus();
}

}  // namespace hydrophone::client
