// How the command line writes a metric:
//
//   logit-diff(TOKEN,TOKEN)[@POSITIONS] | loss[@POSITIONS] | kl[@POSITIONS]
//
//   logit-diff( Paris, Rome)      the first token's logit minus the second's, at the last position
//   loss                          cross-entropy of each next token, in nats
//   kl@-3:                        KL divergence of the edited run from the clean one, in nats
#ifndef HYDROPHONE_CLIENT_CPP_CLI_METRIC_GRAMMAR_H_
#define HYDROPHONE_CLIENT_CPP_CLI_METRIC_GRAMMAR_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cpp/cli/token_words.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// The metric, its text as its key. INVALID_ARGUMENT tells what is wrong.
absl::StatusOr<v1::Metric> ParseMetric(absl::string_view text, const Tokenizer& tokenizer);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_METRIC_GRAMMAR_H_
