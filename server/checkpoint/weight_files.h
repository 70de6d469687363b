// The safetensors files of a checkpoint directory, opened, with all their headers read and checked.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_WEIGHT_FILES_H_
#define HYDROPHONE_SERVER_CHECKPOINT_WEIGHT_FILES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "server/base/safetensors_header.h"
#include "server/checkpoint/random_access_file.h"

namespace hydrophone {

// A tensor and the file that it lies in.
struct StoredTensor {
  SafetensorsTensor tensor;
  size_t file = 0;  // index in WeightFiles::files
};

struct WeightFiles {
  std::vector<RandomAccessFile> files;  // in the order of their names
  // By bare name (see tensor_names.h); old buffers and other heads are left out.
  absl::flat_hash_map<std::string, StoredTensor> tensors;
  // A sentence each on the prefix that all names had, and on the heads that were left out.
  std::vector<std::string> notes;
};

// Opens model.safetensors or, without one, the files that model.safetensors.index.json names; as Hugging Face does, but
// the index must tell the truth about every tensor. NOT_FOUND when there are no weights; INVALID_ARGUMENT for a bad
// index, for a name that occurs twice, for weights in other formats (pickle files can run code: they are never read)
// and for an adapter beside the weights; DATA_LOSS for a damaged file.
absl::StatusOr<WeightFiles> OpenWeightFiles(const std::string& directory);

// What the tensors take in memory when they are loaded, bytes: four for each element, twice for those that are copied
// instead of mapped (all with `copy`, and those that are not float32), since the forward pass lays out a copy of its
// own.
uint64_t BytesInMemory(const WeightFiles& files, bool copy);

// SHA-256 of all files' bytes one after the other, in lower-case hexadecimal digits. Reads them in pieces.
absl::StatusOr<std::string> DigestFiles(const WeightFiles& files);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_WEIGHT_FILES_H_
