#include "client/cpp/files/array_file.h"

namespace hydrophone::client {

ElementType ElementTypeOf(v1::Dtype dtype) {
  switch (dtype) {
    case v1::DTYPE_FLOAT16:
      return ElementType::kFloat16;
    case v1::DTYPE_BFLOAT16:
      return ElementType::kBFloat16;
    default:
      return ElementType::kFloat32;
  }
}

size_t ElementSize(ElementType type) {
  switch (type) {
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      return 2;
    case ElementType::kFloat32:
      return 4;
    case ElementType::kInt64:
      return 8;
  }
  return 0;
}

uint64_t StoredArray::size() const {
  uint64_t size = 0;
  for (const Segment& segment : segments) size += segment.size;
  return size;
}

absl::StatusOr<StoredArray> StoreIntegers(const std::string& name, const std::vector<int64_t>& values, Spool& spool) {
  const auto* bytes = reinterpret_cast<const char*>(values.data());
  const auto segment = spool.Append(absl::string_view(bytes, values.size() * sizeof(int64_t)));
  if (!segment.ok()) return segment.status();
  return StoredArray{name, ElementType::kInt64, {values.size()}, {*segment}};
}

}  // namespace hydrophone::client
