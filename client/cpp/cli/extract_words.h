// What the parts of the request that `hydrophone extract` makes are called: the options that they come from.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_WORDS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_WORDS_H_

#include <string>

#include "client/cpp/cli/extract_options.h"
#include "client/cpp/cli/request_words.h"

namespace hydrophone::client {

// Of the request as a whole: how captures come, what comes after the inputs, and what exceeds a limit.
void SayForm(const ExtractOptions& options, RequestWords* words);

// Of selector `index`, which --hook named `name`. Without --hook, `name` is the point that goes without saying. `own`:
// the name holds its layers.
void SayHook(const ExtractOptions& options, int index, const std::string& name, bool own, RequestWords* words);

// Of metric `index`, which --metric wrote as `text`.
void SayMetric(int index, const std::string& text, RequestWords* words);

// Of the edits, in each run that has them.
void SayEdits(const ExtractOptions& options, RequestWords* words);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_WORDS_H_
