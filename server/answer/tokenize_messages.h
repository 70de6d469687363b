// Text to tokens and back.
#ifndef HYDROPHONE_SERVER_ANSWER_TOKENIZE_MESSAGES_H_
#define HYDROPHONE_SERVER_ANSWER_TOKENIZE_MESSAGES_H_

#include "absl/status/statusor.h"
#include "hydrophone/v1/tokenize.pb.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// Thread-safe. INVALID_ARGUMENT with the path of each bad input, or with reason TOO_LARGE when
// there are more inputs than the limits allow, or more tokens in all than max_request_elements.
absl::StatusOr<v1::TokenizeResponse> AnswerTokenize(const v1::TokenizeRequest& request, const RequestContext& context);

// Thread-safe. INVALID_ARGUMENT with the path of each id outside the vocabulary, or with reason
// TOO_LARGE when there are more sequences than max_inputs_per_request, or more bytes in all than
// max_request_bytes.
absl::StatusOr<v1::DetokenizeResponse> AnswerDetokenize(const v1::DetokenizeRequest& request,
                                                        const RequestContext& context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_TOKENIZE_MESSAGES_H_
