// The request that the options of `hydrophone extract` amount to.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_REQUEST_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_REQUEST_H_

#include <istream>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cpp/cli/extract_options.h"
#include "client/cpp/cli/inputs.h"
#include "client/cpp/cli/request_words.h"
#include "client/cpp/cli/token_words.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// A request, and what its parts are called by whatever gave them.
struct MadeRequest {
  v1::ExtractRequest request;
  RequestWords words;
};

// INVALID_ARGUMENT when an option, an input or a file is not right; what only the server can know is left to it. Other
// errors are the tokenizer's, which is asked for the ids of tokens given as text.
//
// With edits there are two runs of each input, clean and edited, and a third over the text of --patch-from. A logit
// lens and metrics look at the clean and the edited run; else the edited run names the clean one as its baseline, and
// comparisons come.
absl::StatusOr<MadeRequest> MakeRequest(const ExtractOptions& options, std::istream& standard_input,
                                        const Tokenizer& tokenizer);

// The same over these inputs instead of those that the options name.
absl::StatusOr<MadeRequest> MakeRequestOver(const ExtractOptions& options, std::vector<GivenInput> inputs,
                                            const Tokenizer& tokenizer);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_REQUEST_H_
