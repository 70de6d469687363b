// Reads vectors and matrices of users from .npy and .safetensors files.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_TENSOR_READER_H_
#define HYDROPHONE_CLIENT_CPP_FILES_TENSOR_READER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hydrophone/v1/tensor.pb.h"

namespace hydrophone::client {

// The tensor in "FILE.npy", in a "FILE.safetensors" that holds one alone, or the one named in "FILE.safetensors:NAME".
// float32 and float16, and bfloat16 in safetensors, are taken as they are. INVALID_ARGUMENT, naming the file, for
// another type, Fortran order of a matrix, or sizes that do not fit each other.
absl::StatusOr<v1::Tensor> ReadTensorFile(const std::string& path);

// The same from a whole file's bytes; the messages do not name the file. `name`: "" for the only tensor.
absl::StatusOr<v1::Tensor> TensorFromNpy(absl::string_view bytes);
absl::StatusOr<v1::Tensor> TensorFromSafetensors(absl::string_view bytes, absl::string_view name);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_TENSOR_READER_H_
