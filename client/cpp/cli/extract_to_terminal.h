// `hydrophone extract` without --out: captures for people.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_TERMINAL_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_TERMINAL_H_

#include "client/cpp/cli/extract_request.h"
#include "client/cpp/cli/session.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// Runs the request, in as many parts as needed, and prints what comes: the first few inputs, or all of them; previews
// as they come; then summaries, comparisons, logit lenses, metrics and the sizes of what was received as bytes as
// tables. The texts of continuations come before all of that. Gives the exit status.
int ExtractToTerminal(const Session& session, const MadeRequest& made, bool all);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_TERMINAL_H_
