#include "server/checkpoint/gpt2_tensors.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/checkpoint/convert.h"
#include "server/checkpoint/gpt2_match.h"
#include "server/checkpoint/mapped_file.h"

namespace hydrophone {
namespace {

std::shared_ptr<float> NewArray(size_t elements) {
  constexpr size_t kAlignment = 64;
  const size_t bytes = (elements * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
  return {static_cast<float*>(std::aligned_alloc(kAlignment, bytes)), std::free};
}

bool UsableInPlace(StoredType type, const char* data) {
  return type == StoredType::kFloat32 && reinterpret_cast<uintptr_t>(data) % alignof(float) == 0;
}

// REQUIRES: `file` holds the tensor, and `parameter` fits it.
absl::Status LoadTensor(const Gpt2Parameter& parameter, const SafetensorsTensor& tensor, const FileBytes& file,
                        std::vector<LoadedArray>& arrays) {
  const absl::string_view stored = file.bytes.substr(tensor.begin, tensor.end - tensor.begin);
  const StoredType type = *StoredTypeOf(tensor.dtype);
  const size_t elements = static_cast<size_t>(parameter.elements());
  if (UsableInPlace(type, stored.data())) {
    *parameter.values = {reinterpret_cast<const float*>(stored.data()), elements};
    arrays.push_back({*parameter.values, file.owner, file.mapped});
    return absl::OkStatus();
  }
  const std::shared_ptr<float> array = NewArray(elements);
  if (array == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for the ", elements, " elements of ", parameter.name));
  }
  ConvertToFloat32(type, stored, {array.get(), elements});
  *parameter.values = {array.get(), elements};
  arrays.push_back({*parameter.values, array, false});
  return absl::OkStatus();
}

}  // namespace

absl::Status LoadTensors(absl::Span<const Gpt2Parameter> parameters, const WeightFiles& files, bool copy,
                         std::vector<LoadedArray>& arrays) {
  std::vector<FileBytes> bytes;
  for (const RandomAccessFile& file : files.files) {
    absl::StatusOr<FileBytes> opened = copy ? CopyFile(file) : MapFile(file);
    if (!opened.ok()) return opened.status();
    bytes.push_back(*std::move(opened));
  }
  for (const Gpt2Parameter& parameter : parameters) {
    const StoredTensor& stored = files.tensors.at(parameter.name);
    absl::Status status = LoadTensor(parameter, stored.tensor, bytes[stored.file], arrays);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hydrophone
