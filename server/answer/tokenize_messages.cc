#include "server/answer/tokenize_messages.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "server/base/utf8.h"
#include "server/core/errors.h"

namespace hydrophone {
namespace {

void FillTokens(const PlannedInput& input, const Tokenizer& tokenizer, v1::TokenizedInput* message) {
  message->set_key(input.key);
  message->set_skipped(input.skipped);
  message->mutable_token_ids()->Add(input.token_ids.begin(), input.token_ids.end());
  message->mutable_byte_offsets()->Add(input.byte_offsets.begin(), input.byte_offsets.end());
  for (uint32_t id : input.token_ids) {
    absl::string_view piece = PieceOf(tokenizer, id);
    message->add_pieces(piece.data(), piece.size());
  }
}

// Ids that the model or the tokenizer has.
uint32_t IdsOf(const RequestContext& context) {
  return std::max(context.tokenizer.vocab_size(), static_cast<uint32_t>(context.model.vocab_size));
}

// The bytes that a sequence stands for; ids outside both vocabularies become violations.
uint64_t CountBytes(const v1::TokenSequence& sequence, int index, const RequestContext& context,
                    Violations* violations) {
  uint64_t bytes = 0;
  for (int i = 0; i < sequence.token_ids_size(); ++i) {
    uint32_t id = sequence.token_ids(i);
    if (id < IdsOf(context)) {
      bytes += BytesOf(context.tokenizer, id);
    } else {
      violations->Add(absl::StrCat("sequences[", index, "].token_ids[", i, "]"),
                      absl::StrCat("got ", id, ", expected an id below ", IdsOf(context)));
    }
  }
  return bytes;
}

// Those that the tokenizer has; the others stand for no bytes.
std::vector<uint32_t> Spelt(const v1::TokenSequence& sequence, const Tokenizer& tokenizer) {
  std::vector<uint32_t> ids(sequence.token_ids().begin(), sequence.token_ids().end());
  ids.erase(std::remove_if(ids.begin(), ids.end(), [&](uint32_t id) { return id >= tokenizer.vocab_size(); }),
            ids.end());
  return ids;
}

absl::Status CheckSequences(const v1::DetokenizeRequest& request, const RequestContext& context) {
  if (IsMissing(context.tokenizer)) return NeedsTokenizer("sequences", "token ids to spell", "");
  auto sequences = static_cast<uint64_t>(request.sequences_size());
  if (sequences > context.limits.max_inputs_per_request) {
    return TooLarge("sequences", sequences, context.limits.max_inputs_per_request, "sequences");
  }
  Violations violations;
  if (sequences == 0) violations.Add("sequences", "got no sequences, expected at least one");
  uint64_t bytes = 0;
  for (int i = 0; i < request.sequences_size(); ++i) {
    bytes += CountBytes(request.sequences(i), i, context, &violations);
  }
  if (!violations.empty()) return violations.ToStatus();
  if (bytes <= context.limits.max_request_bytes) return absl::OkStatus();
  return TooLarge("sequences", bytes, context.limits.max_request_bytes, "bytes");
}

}  // namespace

v1::TokenizeResponse DescribeTokens(absl::Span<const PlannedInput> inputs, const Tokenizer& tokenizer) {
  v1::TokenizeResponse response;
  for (const PlannedInput& input : inputs) FillTokens(input, tokenizer, response.add_inputs());
  return response;
}

absl::StatusOr<v1::DetokenizeResponse> AnswerDetokenize(const v1::DetokenizeRequest& request,
                                                        const RequestContext& context) {
  if (absl::Status status = CheckSequences(request, context); !status.ok()) return status;
  v1::DetokenizeResponse response;
  for (const v1::TokenSequence& sequence : request.sequences()) {
    absl::StatusOr<std::string> bytes = context.tokenizer.Decode(Spelt(sequence, context.tokenizer));
    if (!bytes.ok()) return bytes.status();
    v1::DetokenizedSequence* message = response.add_sequences();
    message->set_text(ToUtf8(*bytes));
    message->set_raw_text(*std::move(bytes));
  }
  return response;
}

}  // namespace hydrophone
