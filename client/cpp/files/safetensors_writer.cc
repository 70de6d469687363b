#include "client/cpp/files/safetensors_writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "server/base/dtype.h"
#include "server/base/safetensors_header.h"

namespace hydrophone::client {
namespace {

using Json = nlohmann::ordered_json;

const char* DtypeName(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return SafetensorsName(Dtype::kFloat32);
    case ElementType::kFloat16:
      return SafetensorsName(Dtype::kFloat16);
    case ElementType::kBFloat16:
      return SafetensorsName(Dtype::kBfloat16);
    case ElementType::kInt64:
      return "I64";
  }
  return "";
}

std::vector<const StoredArray*> LargestElementsFirst(const std::vector<StoredArray>& arrays) {
  std::vector<const StoredArray*> ordered;
  ordered.reserve(arrays.size());
  for (const StoredArray& array : arrays) ordered.push_back(&array);
  std::stable_sort(ordered.begin(), ordered.end(), [](const StoredArray* a, const StoredArray* b) {
    return ElementSize(a->type) > ElementSize(b->type);
  });
  return ordered;
}

absl::StatusOr<std::string> Header(const std::vector<const StoredArray*>& arrays, const Metadata& metadata) {
  Json header = Json::object();
  for (const auto& [name, text] : metadata) header[kSafetensorsMetadata][name] = text;
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

}  // namespace

absl::Status WriteSafetensors(AtomicFile& output, const std::vector<StoredArray>& arrays, const Metadata& metadata,
                              Spool& spool) {
  const auto ordered = LargestElementsFirst(arrays);
  const auto header = Header(ordered, metadata);
  if (!header.ok()) return header.status();
  FileDescriptor& file = output.file();
  if (absl::Status status = file.Write(SafetensorsLength(header->size()) + *header); !status.ok()) return status;
  for (const StoredArray* array : ordered) {
    for (const Segment& segment : array->segments) {
      if (absl::Status status = spool.CopyTo(segment, file); !status.ok()) return status;
    }
  }
  return output.Commit();
}

absl::Status WriteSafetensors(const std::string& path, const std::vector<StoredArray>& arrays, const Metadata& metadata,
                              Spool& spool) {
  auto output = AtomicFile::Create(path);
  return output.ok() ? WriteSafetensors(**output, arrays, metadata, spool) : output.status();
}

}  // namespace hydrophone::client
