#include "server/plan/inputs/inputs.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace hydrophone {
namespace {

constexpr size_t kMaxKeyBytes = 256;

// `begin` and `end`: the token's bytes in the input.
void AddToken(uint32_t id, size_t begin, size_t end, PlannedInput* planned) {
  planned->token_ids.push_back(id);
  planned->byte_offsets.push_back(static_cast<uint32_t>(begin));
  planned->byte_end = static_cast<uint32_t>(end);
}

// A text between the ids that the model's tokenizer puts around it.
void AddBytes(absl::string_view bytes, bool literal_specials, const Tokenizer& tokenizer, PlannedInput* planned) {
  SpecialTokens specials = literal_specials ? SpecialTokens::kAsLiteral : SpecialTokens::kAsTokens;
  for (uint32_t id : tokenizer.ids_before_text()) AddToken(id, 0, 0, planned);
  for (const EncodedToken& token : tokenizer.Encode(bytes, specials)) {
    AddToken(token.id, token.begin, token.end, planned);
  }
  for (uint32_t id : tokenizer.ids_after_text()) AddToken(id, bytes.size(), bytes.size(), planned);
}

// Adds the beginning-of-sequence token, unless it is what the tokenizer puts in front of a text itself.
void AddBos(bool before_text, absl::string_view path, const Tokenizer& tokenizer, PlannedInput* planned,
            Violations* violations) {
  const std::optional<uint32_t> bos = tokenizer.bos_id();
  if (!bos.has_value()) {
    violations->Add(absl::StrCat(path, ".prepend_bos"),
                    "got true, expected false: the model's tokenizer has no beginning-of-sequence token");
    return;
  }
  const absl::Span<const uint32_t> before = tokenizer.ids_before_text();
  if (before_text && !before.empty() && before.front() == *bos) return;
  AddToken(*bos, 0, 0, planned);
}

uint32_t VocabularySize(const RequestContext& context) { return static_cast<uint32_t>(context.model.vocab_size); }

void AddTokenIds(const v1::Input& input, absl::string_view path, const RequestContext& context, PlannedInput* planned,
                 Violations* violations) {
  uint32_t vocabulary = VocabularySize(context);
  size_t offset = 0;
  for (int i = 0; i < input.token_ids_size(); ++i) {
    uint32_t id = input.token_ids(i);
    if (id >= vocabulary) {
      violations->Add(absl::StrCat(path, ".token_ids[", i, "]"),
                      absl::StrCat("got ", id, ", expected an id below ", vocabulary));
      continue;
    }
    const size_t end = offset + BytesOf(context.tokenizer, id);
    AddToken(id, offset, end, planned);
    offset = end;
  }
}

// Refuses tokens of the tokenizer, the beginning-of-sequence token included, for which the model has no embedding.
void CheckVocabulary(const PlannedInput& planned, absl::string_view path, const RequestContext& context,
                     Violations* violations) {
  uint32_t vocabulary = VocabularySize(context);
  for (uint32_t id : planned.token_ids) {
    if (id < vocabulary) continue;
    violations->Add(std::string(path),
                    absl::StrCat("got token ", id, ", the model's vocabulary has ", vocabulary, " tokens"));
    return;
  }
}

std::string BeyondContext(size_t length, size_t new_tokens, size_t context_length) {
  if (new_tokens == 0) {
    return absl::StrCat("got ", length, " tokens, expected at most ", context_length,
                        ", the model's context; truncate keeps the first ", context_length);
  }
  return absl::StrCat("got ", length, " tokens and max_new_tokens ", new_tokens, ", expected at most ", context_length,
                      " together, the model's context; truncate keeps the first ", context_length - new_tokens);
}

void LimitToContext(absl::string_view path, bool truncate, const InputRules& rules, size_t context_length,
                    PlannedInput* planned, Violations* violations) {
  size_t length = planned->token_ids.size();
  size_t most = context_length - rules.new_tokens;
  if (length <= most) return;
  if (truncate) {
    planned->byte_end = planned->byte_offsets[most];
    planned->token_ids.resize(most);
    planned->byte_offsets.resize(most);
    planned->truncated_tokens = static_cast<uint32_t>(length - most);
  } else if (rules.limit_to_context) {
    violations->Add(std::string(path), BeyondContext(length, rules.new_tokens, context_length));
  }
}

void ReadTokens(const v1::Input& input, absl::string_view path, const InputRules& rules, const RequestContext& context,
                PlannedInput* planned, Violations* violations) {
  const bool ids = input.token_ids_size() > 0;
  if (input.prepend_bos()) AddBos(!ids, path, context.tokenizer, planned, violations);
  if (ids) {
    AddTokenIds(input, path, context, planned, violations);
  } else {
    const std::string& bytes = input.text().empty() ? input.raw_text() : input.text();
    AddBytes(bytes, input.literal_specials(), context.tokenizer, planned);
  }
  LimitToContext(path, input.truncate(), rules, static_cast<size_t>(context.model.n_positions), planned, violations);
  CheckVocabulary(*planned, path, context, violations);
}

PlannedInput ReadInput(const v1::Input& input, absl::string_view path, const InputRules& rules,
                       const RequestContext& context, Violations* violations) {
  PlannedInput planned;
  planned.key = input.key();
  CheckKey(input.key(), absl::StrCat(path, ".key"), violations);
  if (input.token_ids_size() > 0 && input.literal_specials()) {
    violations->Add(absl::StrCat(path, ".literal_specials"), "got true beside token_ids, expected it beside text only");
  }
  int given = !input.text().empty() + !input.raw_text().empty() + (input.token_ids_size() > 0);
  const Tokenizer& tokenizer = context.tokenizer;
  const bool frame = !tokenizer.ids_before_text().empty() || !tokenizer.ids_after_text().empty();
  const bool frame_alone = given == 0 && (input.prepend_bos() || frame);  // an empty text with tokens around it
  if (given == 1 || frame_alone) {
    ReadTokens(input, path, rules, context, &planned, violations);
  } else {
    violations->Add(std::string(path), given == 0
                                           ? "got no tokens, expected a text, raw_text or token_ids that is not empty"
                                           : "got more than one of text, raw_text and token_ids, expected exactly one");
  }
  return planned;
}

// The input that is left out: its `skipped` says why in one line. A key that is itself too long is not given back.
PlannedInput Skipped(const PlannedInput& planned, const Violations& violations) {
  PlannedInput skipped;
  if (planned.key.size() <= kMaxKeyBytes) skipped.key = planned.key;
  const Violation& first = violations.kept()[0];
  skipped.skipped = absl::StrCat(first.field, ": ", first.description);
  if (violations.total() > 1) absl::StrAppend(&skipped.skipped, " (and ", violations.total() - 1, " more)");
  return skipped;
}

// Without a tokenizer only token ids can be read.
absl::Status RefuseTexts(const google::protobuf::RepeatedPtrField<std::string>& texts,
                         const google::protobuf::RepeatedPtrField<v1::Input>& inputs) {
  constexpr char kInstead[] = "token_ids";
  if (!texts.empty()) return NeedsTokenizer("texts[0]", "a text", kInstead);
  for (int i = 0; i < inputs.size(); ++i) {
    const std::string path = absl::StrCat("inputs[", i, "]");
    if (!inputs[i].text().empty()) return NeedsTokenizer(absl::StrCat(path, ".text"), "a text", kInstead);
    if (!inputs[i].raw_text().empty()) return NeedsTokenizer(absl::StrCat(path, ".raw_text"), "a text", kInstead);
    if (inputs[i].prepend_bos()) {
      return NeedsTokenizer(absl::StrCat(path, ".prepend_bos"), "true", "the token's id in token_ids");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<PlannedInput>> ReadInputs(const google::protobuf::RepeatedPtrField<std::string>& texts,
                                                     const google::protobuf::RepeatedPtrField<v1::Input>& inputs,
                                                     InputRules rules, const RequestContext& context,
                                                     Violations* violations) {
  auto total = static_cast<size_t>(texts.size()) + static_cast<size_t>(inputs.size());
  if (total == 0) violations->Add("inputs", "got no inputs, expected at least one in texts or inputs");
  if (total > context.limits.max_inputs_per_request) {
    return TooLarge("inputs", total, context.limits.max_inputs_per_request, "inputs");
  }

  std::vector<PlannedInput> planned;
  planned.reserve(total);
  auto read = [&](const v1::Input& input, const std::string& path) {
    Violations own;
    PlannedInput one = ReadInput(input, path, rules, context, rules.skip_bad ? &own : violations);
    planned.push_back(own.empty() ? std::move(one) : Skipped(one, own));
  };
  if (IsMissing(context.tokenizer)) {
    if (absl::Status refused = RefuseTexts(texts, inputs); !refused.ok()) return refused;
  }
  v1::Input text_only;
  for (int i = 0; i < texts.size(); ++i) {
    text_only.set_text(texts[i]);
    read(text_only, absl::StrCat("texts[", i, "]"));
  }
  for (int i = 0; i < inputs.size(); ++i) read(inputs[i], absl::StrCat("inputs[", i, "]"));
  return planned;
}

void CheckKey(absl::string_view key, absl::string_view path, Violations* violations) {
  if (key.size() <= kMaxKeyBytes) return;
  violations->Add(std::string(path), absl::StrCat("got ", key.size(), " bytes, expected at most ", kMaxKeyBytes));
}

absl::Status CheckPreconditions(absl::string_view model, absl::string_view numerics, const RequestContext& context) {
  if (!model.empty() && model != context.model.name) return PreconditionFailed("model", model, context.model.name);
  if (!numerics.empty() && numerics != context.compute.numerics) {
    return PreconditionFailed("numerics", numerics, context.compute.numerics);
  }
  return absl::OkStatus();
}

}  // namespace hydrophone
