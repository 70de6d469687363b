// Arrays that are to be written into a file.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_ARRAY_FILE_H_
#define HYDROPHONE_CLIENT_CPP_FILES_ARRAY_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cpp/files/spool.h"
#include "hydrophone/v1/tensor.pb.h"

namespace hydrophone::client {

enum class ElementType : uint8_t { kFloat32, kFloat16, kBFloat16, kInt64 };

// The type of a received tensor's elements; the assembler lets no fourth one through.
ElementType ElementTypeOf(v1::Dtype dtype);

// Bytes of one element.
size_t ElementSize(ElementType type);

// An array whose bytes lie in a spool.
struct StoredArray {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<uint64_t> shape;
  std::vector<Segment> segments;  // one after the other, they are its bytes: little-endian, C order

  uint64_t size() const;  // in bytes
};

// Puts an int64 array of one dimension into the spool.
absl::StatusOr<StoredArray> StoreIntegers(const std::string& name, const std::vector<int64_t>& values, Spool& spool);

// A file's metadata: names and texts, in the order in which they are written.
using Metadata = std::vector<std::pair<std::string, std::string>>;

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_ARRAY_FILE_H_
