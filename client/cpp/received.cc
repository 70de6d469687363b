#include "client/cpp/received.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/dtype.h"
#include "server/base/half.h"

namespace hydrophone::client {

// The wire is little-endian and the bytes are used where they lie.
static_assert(std::endian::native == std::endian::little);

namespace {

template <typename T>
std::vector<T> Elements(const TensorBytes& bytes) {
  std::vector<T> elements(bytes.size() / sizeof(T));
  if (!elements.empty()) std::memcpy(elements.data(), bytes.data(), elements.size() * sizeof(T));
  return elements;
}

std::vector<float> Widened(const TensorBytes& bytes, float (*widen)(uint16_t)) {
  std::vector<float> floats;
  floats.reserve(bytes.size() / sizeof(uint16_t));
  for (const uint16_t bits : Elements<uint16_t>(bytes)) floats.push_back(widen(bits));
  return floats;
}

}  // namespace

size_t ElementSize(v1::Dtype dtype) {
  switch (dtype) {
    case v1::DTYPE_FLOAT32:
      return hydrophone::ElementSize(Dtype::kFloat32);
    case v1::DTYPE_FLOAT16:
      return hydrophone::ElementSize(Dtype::kFloat16);
    case v1::DTYPE_BFLOAT16:
      return hydrophone::ElementSize(Dtype::kBfloat16);
    default:
      return 0;
  }
}

absl::StatusOr<std::vector<float>> ToFloats(const ReceivedTensor& tensor) {
  switch (tensor.info.dtype()) {
    case v1::DTYPE_FLOAT32:
      return Elements<float>(tensor.bytes);
    case v1::DTYPE_FLOAT16:
      return Widened(tensor.bytes, FromHalf);
    case v1::DTYPE_BFLOAT16:
      return Widened(tensor.bytes, FromBfloat);
    default:
      return absl::InvalidArgumentError(absl::StrCat(tensor.info.name(), ": got type ", tensor.info.dtype(),
                                                     ", expected DTYPE_FLOAT32, DTYPE_FLOAT16 or DTYPE_BFLOAT16"));
  }
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
