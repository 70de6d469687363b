// Files of JSON that are there whole or not at all.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_JSON_FILE_H_
#define HYDROPHONE_CLIENT_CPP_FILES_JSON_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace hydrophone::client {

// Writes the value with names in order, indented by one, in ASCII: the bytes that Python's
// json.dumps(value, indent=1, sort_keys=True) and a newline are. For a directory in which no other process writes
// (atomic_output.h, CreateAlone).
absl::Status WriteJsonFile(const std::string& path, const nlohmann::json& value);

// INVALID_ARGUMENT, naming the file, when it holds no JSON object.
absl::StatusOr<nlohmann::json> ReadJsonFile(const std::string& path);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_JSON_FILE_H_
