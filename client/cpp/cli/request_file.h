// Requests as JSON: the protobuf message with the field names of the .proto files.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_REQUEST_FILE_H_
#define HYDROPHONE_CLIENT_CPP_CLI_REQUEST_FILE_H_

#include <istream>
#include <string>

#include "absl/status/statusor.h"
#include "client/cpp/cli/request_words.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// The request in a file; "-" for standard input. INVALID_ARGUMENT for what is not one, unknown fields included.
absl::StatusOr<v1::ExtractRequest> ReadRequestFile(const std::string& path, std::istream& standard_input);

// What its parts are called: as the file has them. The client sends texts among the inputs, before them.
RequestWords WordsOfFile(const v1::ExtractRequest& request);

// What ReadRequestFile reads back, indented; fields at their default are left out.
std::string RequestJson(const v1::ExtractRequest& request);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_REQUEST_FILE_H_
