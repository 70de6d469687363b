// What the model wrote after each input.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_CONTINUATIONS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_CONTINUATIONS_H_

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cpp/cli/run_names.h"
#include "client/cpp/client.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

struct Continuation {
  uint32_t input = 0;
  size_t tokens = 0;
  std::string text;  // UTF-8, what is not valid replaced by U+FFFD
};

// The continuations of the inputs that were not skipped. `inputs`: as an Extract of `request`, with max_new_tokens,
// told them; what comes after the tokens of the input itself, which the server is asked for, is new.
absl::StatusOr<std::vector<Continuation>> ReadContinuations(Client& client, const v1::ExtractRequest& request,
                                                            const std::vector<v1::InputInfo>& inputs);

// The text, then how many tokens it is.
void PrintContinuations(const std::vector<Continuation>& continuations, const RunNames& names, std::ostream& out);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_CONTINUATIONS_H_
