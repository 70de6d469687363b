// The answers of Tokenize and Detokenize: text to tokens and back.
#ifndef HYDROPHONE_SERVER_ANSWER_TOKENIZE_MESSAGES_H_
#define HYDROPHONE_SERVER_ANSWER_TOKENIZE_MESSAGES_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hydrophone/v1/tokenize.pb.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// The ids, pieces and byte offsets of the inputs, in their order. Thread-safe.
v1::TokenizeResponse DescribeTokens(absl::Span<const PlannedInput> inputs, const Tokenizer& tokenizer);

// The bytes of each sequence of ids, and a readable text of them. INVALID_ARGUMENT with the path of each id outside the
// vocabulary, or with reason TOO_LARGE when there are more sequences than max_inputs_per_request, or more bytes in all
// than max_request_bytes. Thread-safe.
absl::StatusOr<v1::DetokenizeResponse> AnswerDetokenize(const v1::DetokenizeRequest& request,
                                                        const RequestContext& context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_TOKENIZE_MESSAGES_H_
