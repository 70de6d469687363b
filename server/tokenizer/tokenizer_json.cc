#include "server/tokenizer/tokenizer_json.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/tokenizer/json_values.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {
namespace {

using Json = nlohmann::json;

bool IsByteLevel(const Json& part) { return Member(part, "type") == "ByteLevel"; }

// Whether a setting that GPT-2's tokenizer does not use is off: absent, null, false or empty.
bool IsOff(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.is_null() || value == false || (value.is_array() && value.empty());
}

// The ids that a part of a template stands for.
absl::StatusOr<std::vector<uint32_t>> IdsOf(const Json& part, const Json& special_tokens) {
  const Json& name = Member(Member(part, "SpecialToken"), "id");
  if (!name.is_string()) return RefusedValue("post_processor.single", part, "SpecialToken or Sequence");
  const Json& ids = Member(Member(special_tokens, name.get<std::string>().c_str()), "ids");
  if (!ids.is_array()) return RefusedValue("post_processor.special_tokens", special_tokens, "one with the ids of each");
  std::vector<uint32_t> result;
  for (const Json& id : ids) {
    if (!id.is_number_unsigned()) return RefusedValue("post_processor.special_tokens: ids", ids, "ids");
    result.push_back(id.get<uint32_t>());
  }
  return result;
}

absl::StatusOr<TextFrame> FrameOfTemplate(const Json& post_processor) {
  TextFrame frame;
  const Json& single = Member(post_processor, "single");
  size_t texts = 0;
  for (const Json& part : single) {
    if (part.is_object() && part.contains("Sequence")) {
      ++texts;
      continue;
    }
    const absl::StatusOr<std::vector<uint32_t>> ids = IdsOf(part, Member(post_processor, "special_tokens"));
    if (!ids.ok()) return ids.status();
    std::vector<uint32_t>& side = texts == 0 ? frame.before : frame.after;
    side.insert(side.end(), ids->begin(), ids->end());
  }
  if (texts != 1) return RefusedValue("post_processor.single", single, "a template with the text in it once");
  return frame;
}

}  // namespace

std::vector<absl::Status> OtherThanGpt2(const Json& document) {
  std::vector<absl::Status> others;
  const Json& model = Member(document, "model");
  for (const char* name :
       {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges"}) {
    const Json& value = Member(model, name);
    if (!IsOff(value)) others.push_back(RefusedValue(absl::StrCat("model.", name), value, "none"));
  }
  const Json& normalizer = Member(document, "normalizer");
  if (!normalizer.is_null()) others.push_back(RefusedValue("normalizer", normalizer, "null"));
  const Json& pre_tokenizer = Member(document, "pre_tokenizer");
  if (!IsByteLevel(pre_tokenizer)) {
    others.push_back(RefusedValue("pre_tokenizer", pre_tokenizer, "one of type \"ByteLevel\""));
    return others;
  }
  const Json& add_prefix_space = Member(pre_tokenizer, "add_prefix_space");
  if (!add_prefix_space.is_boolean()) {
    others.push_back(RefusedValue("pre_tokenizer.add_prefix_space", add_prefix_space, "true or false"));
  }
  const Json& use_regex = Member(pre_tokenizer, "use_regex");  // absent in old files, where it was always on
  if (!use_regex.is_null() && use_regex != true) {
    others.push_back(RefusedValue("pre_tokenizer.use_regex", use_regex, "true"));
  }
  return others;
}

absl::StatusOr<TextFrame> FrameOf(const Json& post_processor) {
  const Json& type = Member(post_processor, "type");
  if (post_processor.is_null() || type == "ByteLevel") return TextFrame{};
  if (type == "TemplateProcessing") return FrameOfTemplate(post_processor);
  if (type != "Sequence") {
    return RefusedValue("post_processor", post_processor, "one of type ByteLevel, TemplateProcessing or Sequence");
  }
  TextFrame all;
  for (const Json& one : Member(post_processor, "processors")) {
    const absl::StatusOr<TextFrame> frame = FrameOf(one);
    if (!frame.ok()) return frame.status();
    all.before.insert(all.before.begin(), frame->before.begin(), frame->before.end());
    all.after.insert(all.after.end(), frame->after.begin(), frame->after.end());
  }
  return all;
}

namespace {

absl::StatusOr<VocabularyEntries> Entries(const Json& vocab) {
  if (!vocab.is_object()) return RefusedValue("model.vocab", vocab, "an object from pieces to ids");
  VocabularyEntries entries;
  for (const auto& [piece, id] : vocab.items()) {
    if (!id.is_number_unsigned()) return RefusedValue(absl::StrCat("model.vocab[", ShowPiece(piece), "]"), id, "an id");
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
  return RefusedValue(absl::StrCat("model.merges[", index, "]"), merge, "two pieces");
}

absl::StatusOr<std::string> MergesTxt(const Json& merges) {
  if (!merges.is_array()) return RefusedValue("model.merges", merges, "an array");
  std::string text;
  for (size_t i = 0; i < merges.size(); ++i) {
    const absl::StatusOr<std::string> line = MergeLine(merges[i], i);
    if (!line.ok()) return line.status();
    // In merges.txt such a line would be two merges, or none.
    if (absl::StrContains(*line, '\n') || absl::StartsWith(*line, "#version")) {
      return RefusedValue(absl::StrCat("model.merges[", i, "]"), merges[i], "what a line of merges.txt can hold");
    }
    absl::StrAppend(&text, *line, "\n");
  }
  return text;
}

}  // namespace

absl::StatusOr<TokenizerTables> TablesOf(const Json& document) {
  const Json& model = Member(document, "model");
  const Json& type = Member(model, "type");  // absent in old files
  if (!type.is_null() && type != "BPE") return RefusedValue("model.type", type, "\"BPE\"");
  absl::StatusOr<VocabularyEntries> entries = Entries(Member(model, "vocab"));
  if (!entries.ok()) return entries.status();
  absl::StatusOr<std::string> merges_txt = MergesTxt(Member(model, "merges"));
  if (!merges_txt.ok()) return merges_txt.status();
  return TokenizerTables{*std::move(entries), *std::move(merges_txt)};
}

}  // namespace hydrophone
