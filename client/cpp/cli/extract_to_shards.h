// `hydrophone extract --shards`: a corpus's captures as a directory of safetensors files.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_SHARDS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_SHARDS_H_

#include "client/cpp/cli/extract_options.h"
#include "client/cpp/cli/session.h"

namespace hydrophone::client {

// Carries the job out, or goes on with it (bulk/bulk.h). Gives the exit status.
int ExtractToShards(const Session& session, const ExtractOptions& options);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_TO_SHARDS_H_
