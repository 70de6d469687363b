// `hydrophone extract --out`: captures into a safetensors file or a directory of NumPy arrays.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_FILE_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "client/cpp/cli/extract_request.h"
#include "client/cpp/cli/session.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// Whether the request's answer can be written to `out`: FILE.safetensors in a writable directory, new unless `force`,
// or a directory that is new or empty; and tensors alone, of types that the file has.
absl::Status CheckOutput(const std::string& out, bool force, const v1::ExtractRequest& request);

// Runs the request, in as many parts as needed, and writes `out`, whole or not at all. Gives the
// exit status.
int ExtractToFile(const Session& session, const MadeRequest& made, const std::string& out);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_FILE_H_
