// The header of a safetensors file.
//
// clang-format off
//   file    = length header data
//   length  = unsigned 64-bit little-endian: the header's bytes; at most 100,000,000
//   header  = JSON (UTF-8) object that begins with "{"; spaces may follow it
//               { NAME: {"dtype": DTYPE, "shape": [DIMENSION ...], "data_offsets": [BEGIN, END]} ...,
//                 "__metadata__": {STRING: STRING ...} }                              (optional)
//   data    = the tensors' elements, little-endian, C order
// clang-format on
//
// BEGIN and END count bytes from the beginning of `data`; END - BEGIN is what dtype and shape make; the tensors cover
// `data` completely and nowhere twice. Nothing demands that elements are aligned.
#ifndef HYDROPHONE_SERVER_BASE_SAFETENSORS_HEADER_H_
#define HYDROPHONE_SERVER_BASE_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

struct SafetensorsTensor {
  std::string name;
  std::string dtype;           // as the file spells it: "F32", "F16", "BF16", "U8", ...
  std::vector<int64_t> shape;  // empty for a scalar
  uint64_t begin = 0;          // its first byte in the file (not in `data`)
  uint64_t end = 0;            // one past its last
};

constexpr uint64_t kSafetensorsLengthBytes = 8;
constexpr uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;  // the format's own limit

// The name under which a header holds the file's metadata, beside the tensors.
inline constexpr char kSafetensorsMetadata[] = "__metadata__";

// The eight bytes with which a file begins whose header has `header_bytes`.
std::string SafetensorsLength(uint64_t header_bytes);

// How many bytes at the beginning of a file of `file_size` bytes are length and header, read from its first 8 bytes (or
// fewer, if the file has no more). DATA_LOSS when they cannot be right.
absl::StatusOr<uint64_t> SafetensorsHeadSize(absl::string_view first_bytes, uint64_t file_size);

// The tensors in the order of their bytes. `head` is the beginning of a file of `file_size` bytes, at least
// SafetensorsHeadSize of it. A pure function: reads nothing but `head`, and whatever is in it, either gives tensors
// that lie within the file and do not overlap, or DATA_LOSS saying what is wrong.
absl::StatusOr<std::vector<SafetensorsTensor>> ParseSafetensorsHeader(absl::string_view head, uint64_t file_size);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_SAFETENSORS_HEADER_H_
