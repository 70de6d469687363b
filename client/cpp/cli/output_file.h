// The file that --out names.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_OUTPUT_FILE_H_
#define HYDROPHONE_CLIENT_CPP_CLI_OUTPUT_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace hydrophone::client {

// Whether it is named as a .safetensors file.
bool IsSafetensors(const std::string& out);

// INVALID_ARGUMENT when the file is there already, unless `force` lets it be overwritten, or when it cannot be made.
absl::Status CheckOutputFile(const std::string& out, bool force);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_OUTPUT_FILE_H_
