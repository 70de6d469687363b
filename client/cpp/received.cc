#include "client/cpp/received.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

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

float FromBfloat16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16U); }

// IEEE 754 binary16: 1 bit sign, 5 bits exponent (bias 15), 10 bits fraction.
float FromFloat16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000U) << 16U;
  const uint32_t exponent = (bits >> 10U) & 0x1fU;
  const uint32_t fraction = bits & 0x3ffU;
  if (exponent == 0) {  // zero, or fraction * 2^-24
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  const uint32_t widened = exponent == 0x1fU ? 0xffU : exponent + (127 - 15);
  return std::bit_cast<float>(sign | widened << 23U | fraction << 13U);
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
      return 4;
    case v1::DTYPE_FLOAT16:
    case v1::DTYPE_BFLOAT16:
      return 2;
    default:
      return 0;
  }
}

absl::StatusOr<std::vector<float>> ToFloats(const ReceivedTensor& tensor) {
  switch (tensor.info.dtype()) {
    case v1::DTYPE_FLOAT32:
      return Elements<float>(tensor.bytes);
    case v1::DTYPE_FLOAT16:
      return Widened(tensor.bytes, FromFloat16);
    case v1::DTYPE_BFLOAT16:
      return Widened(tensor.bytes, FromBfloat16);
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
