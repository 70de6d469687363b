#include "server/tokenizer/tokenizer_json.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/bounded_json.h"
#include "server/base/messages.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {
namespace {

using Json = nlohmann::json;

// `value` on one line, as much of it as fits into a message.
std::string Shown(const Json& value) {
  return Printable(value.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace));
}

absl::Status Refused(absl::string_view member, const Json& got, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(member, " is ", Shown(got), ", expected ", expected));
}

// A member of an object; null when the object lacks it or is none.
const Json& Member(const Json& object, const char* name) {
  static const Json kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

bool IsByteLevel(const Json& part) { return Member(part, "type") == "ByteLevel"; }

// Whether a setting that GPT-2's tokenizer does not use is off: absent, null, false or empty.
bool IsOff(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.is_null() || value == false || (value.is_array() && value.empty());
}

absl::Status CheckModel(const Json& model) {
  const Json& type = Member(model, "type");
  if (type != "BPE") return Refused("model.type", type, "\"BPE\"");
  for (const char* name :
       {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges"}) {
    const Json& value = Member(model, name);
    if (!IsOff(value)) return Refused(absl::StrCat("model.", name), value, "none");
  }
  return absl::OkStatus();
}

// Whether the post-processor is GPT-2's own, or the template that transformers 5 writes: one text without additions.
bool AddsNoTokens(const Json& post_processor) {
  if (post_processor.is_null() || IsByteLevel(post_processor)) return true;
  const Json& single = Member(post_processor, "single");
  return Member(post_processor, "type") == "TemplateProcessing" && single.is_array() && single.size() == 1 &&
         single[0].contains("Sequence");
}

absl::Status CheckPipeline(const Json& document) {
  const Json& normalizer = Member(document, "normalizer");
  if (!normalizer.is_null()) return Refused("normalizer", normalizer, "null");
  const Json& pre_tokenizer = Member(document, "pre_tokenizer");
  if (!IsByteLevel(pre_tokenizer)) return Refused("pre_tokenizer", pre_tokenizer, "one of type \"ByteLevel\"");
  const Json& add_prefix_space = Member(pre_tokenizer, "add_prefix_space");
  if (add_prefix_space != false) return Refused("pre_tokenizer.add_prefix_space", add_prefix_space, "false");
  const Json& use_regex = Member(pre_tokenizer, "use_regex");  // absent in old files, where it was always on
  if (!use_regex.is_null() && use_regex != true) return Refused("pre_tokenizer.use_regex", use_regex, "true");
  const Json& post_processor = Member(document, "post_processor");
  if (!AddsNoTokens(post_processor)) return Refused("post_processor", post_processor, "one that adds no tokens");
  return absl::OkStatus();
}

absl::Status CheckAddedTokens(const Json& tokens) {
  if (tokens.is_null()) return absl::OkStatus();
  if (!tokens.is_array()) return Refused("added_tokens", tokens, "an array");
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string name = absl::StrCat("added_tokens[", i, "]");
    const Json& content = Member(tokens[i], "content");
    if (content != std::string(kEndOfText)) {
      return Refused(absl::StrCat(name, ".content"), content, absl::StrCat("\"", kEndOfText, "\" only"));
    }
    for (const char* stripping : {"lstrip", "rstrip", "single_word"}) {
      const Json& value = Member(tokens[i], stripping);
      if (!IsOff(value)) return Refused(absl::StrCat(name, ".", stripping), value, "false");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<VocabularyEntries> Entries(const Json& vocab) {
  if (!vocab.is_object()) return Refused("model.vocab", vocab, "an object from pieces to ids");
  VocabularyEntries entries;
  for (const auto& [piece, id] : vocab.items()) {
    if (!id.is_number_unsigned()) return Refused(absl::StrCat("model.vocab[", ShowPiece(piece), "]"), id, "an id");
    entries.emplace_back(piece, id.get<uint64_t>());
  }
  return entries;
}

// A merge as a line of merges.txt: already one ("a b"), or a pair (["a", "b"]) since tokenizers 0.20.
absl::StatusOr<std::string> MergeLine(const Json& merge, size_t index) {
  if (merge.is_string()) return merge.get<std::string>();
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return absl::StrCat(merge[0].get_ref<const std::string&>(), " ", merge[1].get_ref<const std::string&>());
  }
  return Refused(absl::StrCat("model.merges[", index, "]"), merge, "two pieces");
}

absl::StatusOr<std::string> MergesTxt(const Json& merges) {
  if (!merges.is_array()) return Refused("model.merges", merges, "an array");
  std::string text;
  for (size_t i = 0; i < merges.size(); ++i) {
    const absl::StatusOr<std::string> line = MergeLine(merges[i], i);
    if (!line.ok()) return line.status();
    // In merges.txt such a line would be two merges, or none.
    if (absl::StrContains(*line, '\n') || absl::StartsWith(*line, "#version")) {
      return Refused(absl::StrCat("model.merges[", i, "]"), merges[i], "what a line of merges.txt can hold");
    }
    absl::StrAppend(&text, *line, "\n");
  }
  return text;
}

}  // namespace

absl::StatusOr<TokenizerTables> ParseTokenizerJson(absl::string_view json) {
  const absl::StatusOr<Json> document = ParseBoundedJson(json);
  if (!document.ok()) return document.status();
  const Json& model = Member(*document, "model");
  for (const absl::Status& status :
       {CheckModel(model), CheckPipeline(*document), CheckAddedTokens(Member(*document, "added_tokens"))}) {
    if (!status.ok()) return status;
  }
  absl::StatusOr<VocabularyEntries> entries = Entries(Member(model, "vocab"));
  if (!entries.ok()) return entries.status();
  absl::StatusOr<std::string> merges_txt = MergesTxt(Member(model, "merges"));
  if (!merges_txt.ok()) return merges_txt.status();
  return TokenizerTables{*std::move(entries), *std::move(merges_txt)};
}

}  // namespace hydrophone
