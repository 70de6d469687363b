#include "server/base/safetensors_header.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/bounded_json.h"
#include "server/base/messages.h"

namespace hydrophone {
namespace {

using Json = nlohmann::json;

constexpr JsonLimits kHeaderLimits = {.max_depth = 4, .max_values = size_t{1} << 21};

struct DtypeBits {
  const char* dtype;
  uint64_t bits;
};
// clang-format off
constexpr DtypeBits kDtypes[] = {
    {"BOOL", 8}, {"U8", 8}, {"I8", 8}, {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},
    {"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16},
    {"I32", 32}, {"U32", 32}, {"F32", 32},
    {"I64", 64}, {"U64", 64}, {"F64", 64}, {"C64", 64},
};
// clang-format on

std::optional<uint64_t> BitsOf(const std::string& dtype) {
  for (const DtypeBits& known : kDtypes) {
    if (dtype == known.dtype) return known.bits;
  }
  return std::nullopt;
}

absl::Status Damaged(absl::string_view problem) {
  return absl::DataLossError(absl::StrCat("the safetensors header ", problem));
}

absl::Status DamagedTensor(const std::string& name, absl::string_view problem) {
  return absl::DataLossError(absl::StrCat("the safetensors header's tensor \"", Printable(name), "\" ", problem));
}

// The bytes of `shape`'s elements; nullopt when they overflow 64 bits or are no whole number.
std::optional<uint64_t> BytesOf(const std::vector<int64_t>& shape, uint64_t bits_of_element) {
  uint64_t bits = bits_of_element;
  for (int64_t dimension : shape) {
    if (__builtin_mul_overflow(bits, static_cast<uint64_t>(dimension), &bits)) return std::nullopt;
  }
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

absl::Status ReadShape(const Json& json, SafetensorsTensor& tensor) {
  if (!json.is_array()) return DamagedTensor(tensor.name, "has a shape that is no array");
  for (const Json& dimension : json) {
    if (!dimension.is_number_unsigned() ||
        dimension.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return DamagedTensor(tensor.name, "has a dimension that is no integer from 0 to 2^63-1");
    }
    tensor.shape.push_back(dimension.get<int64_t>());
  }
  return absl::OkStatus();
}

// Leaves the offsets as they count from the beginning of the data.
absl::Status ReadOffsets(const Json& json, uint64_t data_size, SafetensorsTensor& tensor) {
  if (!json.is_array() || json.size() != 2 || !json[0].is_number_unsigned() || !json[1].is_number_unsigned()) {
    return DamagedTensor(tensor.name, "has data_offsets that are not two unsigned integers");
  }
  tensor.begin = json[0].get<uint64_t>();
  tensor.end = json[1].get<uint64_t>();
  if (tensor.end < tensor.begin) return DamagedTensor(tensor.name, "ends before it begins");
  if (tensor.end > data_size) {
    return DamagedTensor(tensor.name, absl::StrCat("ends at byte ", tensor.end, " of the data, which has ", data_size));
  }
  return absl::OkStatus();
}

absl::Status CheckSize(const SafetensorsTensor& tensor) {
  const std::optional<uint64_t> bits = BitsOf(tensor.dtype);
  if (!bits.has_value()) {
    return DamagedTensor(tensor.name, absl::StrCat("has the unknown dtype \"", Printable(tensor.dtype), "\""));
  }
  const std::optional<uint64_t> bytes = BytesOf(tensor.shape, *bits);
  if (!bytes.has_value()) {
    return DamagedTensor(tensor.name,
                         absl::StrCat("has the impossible shape ", ShapeText(tensor.shape), " of ", tensor.dtype));
  }
  if (*bytes == tensor.end - tensor.begin) return absl::OkStatus();
  return DamagedTensor(tensor.name, absl::StrCat("has ", tensor.end - tensor.begin, " bytes, expected ", *bytes,
                                                 " for ", tensor.dtype, " ", ShapeText(tensor.shape)));
}

absl::StatusOr<SafetensorsTensor> ReadTensor(const std::string& name, const Json& json, uint64_t data_size) {
  SafetensorsTensor tensor;
  tensor.name = name;
  const bool complete = json.is_object() && json.size() == 3 && json.contains("dtype") && json.contains("shape") &&
                        json.contains("data_offsets") && json["dtype"].is_string();
  if (!complete) return DamagedTensor(name, "is not an object of exactly dtype (a string), shape and data_offsets");
  tensor.dtype = json["dtype"].get<std::string>();
  if (absl::Status status = ReadShape(json["shape"], tensor); !status.ok()) return status;
  if (absl::Status status = ReadOffsets(json["data_offsets"], data_size, tensor); !status.ok()) return status;
  if (absl::Status status = CheckSize(tensor); !status.ok()) return status;
  return tensor;
}

absl::Status CheckSafetensorsMetadata(const Json& json) {
  if (json.is_null()) return absl::OkStatus();  // as good as none to the format's own library
  if (!json.is_object()) return Damaged("has a __metadata__ that is no object");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) return Damaged("has a __metadata__ whose values are not all strings");
  }
  return absl::OkStatus();
}

// Sorted tensors must follow each other without overlap or gap, up to the end.
absl::Status CheckCoverage(const std::vector<SafetensorsTensor>& tensors, uint64_t data_size) {
  uint64_t covered = 0;
  for (const SafetensorsTensor& tensor : tensors) {
    if (tensor.begin < covered) return DamagedTensor(tensor.name, "overlaps another one");
    if (tensor.begin > covered) {
      return DamagedTensor(tensor.name,
                           absl::StrCat("begins at byte ", tensor.begin, " of the data, expected ", covered));
    }
    covered = tensor.end;
  }
  if (covered == data_size) return absl::OkStatus();
  return Damaged(absl::StrCat("describes ", covered, " bytes of data, the file has ", data_size));
}

}  // namespace

std::string SafetensorsLength(uint64_t header_bytes) {
  std::string bytes;
  for (size_t i = 0; i < kSafetensorsLengthBytes; ++i) {
    bytes.push_back(static_cast<char>(header_bytes >> (8 * i) & 0xFF));
  }
  return bytes;
}

absl::StatusOr<uint64_t> SafetensorsHeadSize(absl::string_view first_bytes, uint64_t file_size) {
  if (file_size < kSafetensorsLengthBytes || first_bytes.size() < kSafetensorsLengthBytes) {
    return absl::DataLossError(absl::StrCat("the file has ", file_size, " bytes: too few for a safetensors file"));
  }
  uint64_t length = 0;
  for (size_t i = kSafetensorsLengthBytes; i-- > 0;) length = length << 8 | static_cast<unsigned char>(first_bytes[i]);
  if (length > kMaxSafetensorsHeaderBytes) {
    return Damaged(absl::StrCat("says it has ", length, " bytes, the format's limit is ", kMaxSafetensorsHeaderBytes));
  }
  if (length > file_size - kSafetensorsLengthBytes) {
    return Damaged(absl::StrCat("says it has ", length, " bytes, the file has ", file_size));
  }
  return kSafetensorsLengthBytes + length;
}

absl::StatusOr<std::vector<SafetensorsTensor>> ParseSafetensorsHeader(absl::string_view head, uint64_t file_size) {
  const absl::StatusOr<uint64_t> head_size = SafetensorsHeadSize(head, file_size);
  if (!head_size.ok()) return head_size.status();
  if (head.size() < *head_size) return Damaged("is cut short");
  const absl::string_view text = head.substr(kSafetensorsLengthBytes, *head_size - kSafetensorsLengthBytes);
  if (text.empty() || text[0] != '{') return Damaged("does not begin with \"{\"");
  const absl::StatusOr<Json> json = ParseBoundedJson(text, kHeaderLimits);
  if (!json.ok()) return Damaged(json.status().message());

  const uint64_t data_size = file_size - *head_size;
  std::vector<SafetensorsTensor> tensors;
  for (const auto& [name, value] : json->items()) {
    if (name == kSafetensorsMetadata) {
      if (absl::Status status = CheckSafetensorsMetadata(value); !status.ok()) return status;
      continue;
    }
    absl::StatusOr<SafetensorsTensor> tensor = ReadTensor(name, value, data_size);
    if (!tensor.ok()) return tensor.status();
    tensors.push_back(*std::move(tensor));
  }
  std::sort(tensors.begin(), tensors.end(), [](const SafetensorsTensor& a, const SafetensorsTensor& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  if (absl::Status status = CheckCoverage(tensors, data_size); !status.ok()) return status;
  for (SafetensorsTensor& tensor : tensors) {
    tensor.begin += *head_size;
    tensor.end += *head_size;
  }
  return tensors;
}

}  // namespace hydrophone
