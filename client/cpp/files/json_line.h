// An input as one line of JSON.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_JSON_LINE_H_
#define HYDROPHONE_CLIENT_CPP_FILES_JSON_LINE_H_

#include <string>

#include "absl/status/statusor.h"
#include "hydrophone/v1/input.pb.h"

namespace hydrophone::client {

// The input in a line: a JSON string, which is its text, or an object with exactly one of "text" (string), "token_ids"
// (array of numbers) and "text_bytes_base64" (string), and "key" (string) if liked. INVALID_ARGUMENT tells what is
// wrong in the line, not where it stands.
absl::StatusOr<v1::Input> InputFromJsonLine(const std::string& line);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_JSON_LINE_H_
