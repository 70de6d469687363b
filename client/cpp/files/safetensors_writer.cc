#include "client/cpp/files/safetensors_writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cpp/files/atomic_output.h"
#include "nlohmann/json.hpp"

namespace hydrophone::client {
namespace {

using Json = nlohmann::ordered_json;

const char* DtypeName(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "F32";
    case ElementType::kFloat16:
      return "F16";
    case ElementType::kBFloat16:
      return "BF16";
    case ElementType::kInt64:
      return "I64";
  }
  return "";
}

std::vector<const StoredArray*> LargestElementsFirst(const std::vector<StoredArray>& arrays) {
  std::vector<const StoredArray*> ordered;
  for (const StoredArray& array : arrays) ordered.push_back(&array);
  std::stable_sort(ordered.begin(), ordered.end(), [](const StoredArray* a, const StoredArray* b) {
    return ElementSize(a->type) > ElementSize(b->type);
  });
  return ordered;
}

absl::StatusOr<std::string> Header(const std::vector<const StoredArray*>& arrays, const Metadata& metadata) {
  Json header = Json::object();
  for (const auto& [name, text] : metadata) header["__metadata__"][name] = text;
  uint64_t offset = 0;
  for (const StoredArray* array : arrays) {
    if (header.contains(array->name)) {
      return absl::InvalidArgumentError(absl::StrCat("two arrays are named ", array->name));
    }
    header[array->name] = {
        {"dtype", DtypeName(array->type)}, {"shape", array->shape}, {"data_offsets", {offset, offset + array->size()}}};
    offset += array->size();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  constexpr size_t kAlignment = 8;
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (text.size() > kMaxSafetensorsHeaderBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the file's header would have ", text.size(),
                                                   " bytes, expected at most ", kMaxSafetensorsHeaderBytes));
  }
  return text;
}

std::string LittleEndian64(uint64_t value) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>((value >> shift) & 0xff));
  return bytes;
}

}  // namespace

absl::Status WriteSafetensors(const std::string& path, const std::vector<StoredArray>& arrays, const Metadata& metadata,
                              Spool& spool) {
  const auto ordered = LargestElementsFirst(arrays);
  const auto header = Header(ordered, metadata);
  if (!header.ok()) return header.status();
  auto output = AtomicFile::Create(path);
  if (!output.ok()) return output.status();
  FileDescriptor& file = (*output)->file();
  if (absl::Status status = file.Write(LittleEndian64(header->size()) + *header); !status.ok()) return status;
  for (const StoredArray* array : ordered) {
    for (const Segment& segment : array->segments) {
      if (absl::Status status = spool.CopyTo(segment, file); !status.ok()) return status;
    }
  }
  return (*output)->Commit();
}

}  // namespace hydrophone::client
