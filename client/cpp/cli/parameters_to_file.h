// A GetParameters answer as a .safetensors file.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_PARAMETERS_TO_FILE_H_
#define HYDROPHONE_CLIENT_CPP_CLI_PARAMETERS_TO_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cpp/client.h"

namespace hydrophone::client {

// Writes the tensors under Hugging Face's names into `out`, whole or not at all; the metadata's "hydrophone.provenance"
// is the header's, as JSON. Gives the header. Memory does not grow with the answer.
absl::StatusOr<v1::ParametersHeader> ParametersToFile(Client& client, const v1::GetParametersRequest& request,
                                                      const std::string& out);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_PARAMETERS_TO_FILE_H_
