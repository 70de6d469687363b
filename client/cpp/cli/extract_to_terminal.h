// `hydrophone extract` without --out: captures for people.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_TERMINAL_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_TERMINAL_H_

#include "client/cpp/cli/session.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// Runs the request, in as many parts as needed, and prints what comes: previews as they come, then summaries,
// comparisons, logit lenses, metrics and the sizes of what was received as bytes as tables, then the continuations.
// Gives the exit status.
int ExtractToTerminal(const Session& session, const v1::ExtractRequest& request);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_TERMINAL_H_
