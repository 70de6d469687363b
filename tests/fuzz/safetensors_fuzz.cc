// Files of tensors: a safetensors header, a checkpoint that has the file as its weights, and what the client reads.
#include <cstddef>
#include <cstdint>

#include "client/cpp/files/tensor_reader.h"
#include "server/base/safetensors_header.h"
#include "server/checkpoint/gpt2_checkpoint.h"
#include "tests/fakes/checkpoint_files.h"
#include "tests/fuzz/require.h"

namespace hydrophone {
namespace {

// Whether the header is good.
bool ReadHeader(absl::string_view file) {
  const absl::StatusOr<uint64_t> head = SafetensorsHeadSize(file.substr(0, kSafetensorsLengthBytes), file.size());
  if (!head.ok()) {
    RequireGoodRefusal(head.status());
    return false;
  }
  Require(*head <= file.size(), "the head lies in the file");
  const auto tensors = ParseSafetensorsHeader(file.substr(0, *head), file.size());
  if (!tensors.ok()) {
    RequireGoodRefusal(tensors.status());
    return false;
  }
  uint64_t end = *head;
  for (const SafetensorsTensor& tensor : *tensors) {
    Require(tensor.begin == end && tensor.end >= tensor.begin, "each tensor begins where the one before it ends");
    end = tensor.end;
  }
  Require(end == file.size(), "the tensors cover the file");
  return true;
}

void Load(const TempDirectory& directory, bool copy) {
  LoadOptions options;
  options.copy = copy;
  const absl::StatusOr<Gpt2Checkpoint> checkpoint = LoadGpt2Checkpoint(directory.path(), options);
  if (!checkpoint.ok()) return RequireGoodRefusal(checkpoint.status());
  const auto audit = AuditGpt2Checkpoint(*checkpoint);
  Require(audit.ok(), "what was loaded can be read again");
  Require(audit->file_sha256 == checkpoint->weights_sha256, "the digests are of the same file");
  Require(audit->differing_parameters.empty(), "what was loaded is what the file holds");
}

void ReadAsClient(absl::string_view file) {
  for (const auto& tensor : {client::TensorFromNpy(file), client::TensorFromSafetensors(file, ""),
                             client::TensorFromSafetensors(file, "v")}) {
    if (!tensor.ok()) RequireGoodRefusal(tensor.status());
  }
}

}  // namespace
}  // namespace hydrophone

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hydrophone;
  static const TempDirectory& directory = *[] {
    auto* made = new TempDirectory;
    made->Write("config.json", SmallConfig());
    return made;
  }();
  const absl::string_view file(reinterpret_cast<const char*>(data), size);
  ReadAsClient(file);
  if (!ReadHeader(file)) return 0;
  directory.Write("model.safetensors", file);
  Load(directory, /*copy=*/size % 2 == 0);
  return 0;
}
