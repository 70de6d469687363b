// Safetensors files:
//
// clang-format off
//   length of the header, 8 bytes little-endian │ header, JSON │ data
//
//   {"__metadata__": {NAME: TEXT, ...},
//    NAME: {"dtype": "F32", "shape": [...], "data_offsets": [BEGIN, END]}, ...}
// clang-format on
//
// The header is padded with spaces so that the data begins at a multiple of 8.
// Offsets count from the data's begin and leave no holes. Arrays with larger elements come first,
// so that each is aligned.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_SAFETENSORS_WRITER_H_
#define HYDROPHONE_CLIENT_CPP_FILES_SAFETENSORS_WRITER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cpp/files/array_file.h"
#include "client/cpp/files/atomic_output.h"
#include "client/cpp/files/spool.h"

namespace hydrophone::client {

// Writes all of the file into `output`, and commits it. INVALID_ARGUMENT when two arrays have one name, or the header
// is too long.
absl::Status WriteSafetensors(AtomicFile& output, const std::vector<StoredArray>& arrays, const Metadata& metadata,
                              Spool& spool);

// The same for the file at `path`, whole or not at all.
absl::Status WriteSafetensors(const std::string& path, const std::vector<StoredArray>& arrays, const Metadata& metadata,
                              Spool& spool);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_SAFETENSORS_WRITER_H_
