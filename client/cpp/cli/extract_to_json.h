// `hydrophone extract --json`: the answer's messages for programs.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_JSON_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_JSON_H_

#include "absl/status/status.h"
#include "client/cpp/cli/extract_request.h"
#include "client/cpp/cli/session.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// INVALID_ARGUMENT when some captures would come as bytes, which have no place in JSON.
absl::Status CheckJson(const v1::ExtractRequest& request);

// Runs the request, in as many parts as needed, and prints each message as a line: ExtractResponse as protobuf JSON,
// fields at their default included, so {"header": ...}, {"input": ...}, {"values": ...}, {"trailer": ...}. Inputs and
// runs are counted over all parts; each part has its header and trailer. Gives the exit status.
int ExtractToJson(const Session& session, const MadeRequest& made);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_JSON_H_
