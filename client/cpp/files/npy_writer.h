// Directories of NumPy arrays: NAME.npy for each array, and metadata.json.
//
// A .npy file (version 1.0):
//
// clang-format off
//   "\x93NUMPY" 1 0 │ header's length, 2 bytes little-endian │ header: a Python dict │ data
// clang-format on
//
// The header is padded with spaces so that the data begins at a multiple of 64.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_NPY_WRITER_H_
#define HYDROPHONE_CLIENT_CPP_FILES_NPY_WRITER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cpp/files/array_file.h"
#include "client/cpp/files/spool.h"

namespace hydrophone::client {

// Writes the directory, whole or not at all. In metadata.json, metadata that is JSON is put in as
// JSON, other as text; "arrays" maps each array's name to its file. INVALID_ARGUMENT: `path` is
// there and not empty, an array is bfloat16 (NumPy has no such type), or two arrays would have one
// file.
absl::Status WriteNpyDirectory(const std::string& path, const std::vector<StoredArray>& arrays,
                               const Metadata& metadata, Spool& spool);

// An array's name as a file's: what is neither a letter, a digit nor one of "._-" becomes "_".
std::string NpyFileName(const std::string& array_name);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_NPY_WRITER_H_
