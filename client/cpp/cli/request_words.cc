#include "client/cpp/cli/request_words.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cpp/errors.h"

namespace hydrophone::client {
namespace {

constexpr size_t kLongestValue = 60;  // bytes of a value that are shown

constexpr absl::string_view kRun = "run ";

// How many characters of a path or a name stand at the beginning of a text; a full stop after them is not one of them.
size_t WordSize(absl::string_view text) {
  size_t size = 0;
  while (size < text.size() &&
         (absl::ascii_isalnum(static_cast<unsigned char>(text[size])) || absl::StrContains("_.[]", text[size]))) {
    ++size;
  }
  while (size > 1 && text[size - 1] == '.') --size;
  return size;
}

// How many bytes the quotation at the beginning of a text has, with its marks; 0 when it does not begin with one.
size_t QuotedSize(absl::string_view text) {
  if (!absl::StartsWith(text, "\"")) return 0;
  size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return std::min(end + 1, text.size());
}

// "hooks[0].layers[1]" without its last part: "hooks[0].layers", then "hooks[0]", "hooks" and "".
absl::string_view Parent(absl::string_view path) {
  const size_t end = path.find_last_of(".[");
  return end == absl::string_view::npos ? "" : path.substr(0, end);
}

// "inputs[3]" with `list` "inputs": 3.
std::optional<uint32_t> IndexIn(absl::string_view list, absl::string_view path) {
  uint32_t index = 0;
  if (!absl::ConsumePrefix(&path, list) || !absl::ConsumePrefix(&path, "[") || !absl::ConsumeSuffix(&path, "]")) {
    return std::nullopt;
  }
  return absl::SimpleAtoi(path, &index) ? std::optional<uint32_t>(index) : std::nullopt;
}

// "runs[7].interventions[0]" with "*" for the first index.
std::string WithAnyIndex(absl::string_view path) {
  const size_t begin = path.find('[');
  const size_t end = path.find(']');
  if (begin == absl::string_view::npos || end == absl::string_view::npos) return "";
  return absl::StrCat(path.substr(0, begin), "[*", path.substr(end));
}

// The beginning of a text that is shown, cut between characters.
absl::string_view Beginning(absl::string_view text) {
  if (text.size() <= kLongestValue) return text;
  size_t end = kLongestValue;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string Shown(absl::string_view text) {
  const absl::string_view beginning = Beginning(text);
  return absl::StrCat(absl::Utf8SafeCEscape(beginning), beginning.size() < text.size() ? "..." : "");
}

}  // namespace

std::string QuotedWords(absl::string_view text) { return absl::StrCat("\"", Shown(text), "\""); }

std::string OptionWords(absl::string_view option, absl::string_view value) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '"' && c != '\'';
  });
  return absl::StrCat(option, " ", plain ? Shown(value) : QuotedWords(value));
}

RequestWords RequestWords::OfCommandLine() {
  RequestWords words;
  for (const auto& [term, text] :
       std::initializer_list<std::pair<const char*, const char*>>{{"hook_point", "the hook's name"},
                                                                  {"units", "heads or features"},
                                                                  {"logit_lens", "a logit lens"},
                                                                  {"raw_text", "bytes"},
                                                                  {"token_ids", "token ids"},
                                                                  {"project_out", "project-out"},
                                                                  {"next_token_loss", "loss"},
                                                                  {"prepend_bos", "--prepend-bos"},
                                                                  {"literal_specials", "--literal-specials"},
                                                                  {"truncate", "--truncate"},
                                                                  {"max_new_tokens", "--max-new-tokens"},
                                                                  {"train_seed", "--train-seed"},
                                                                  {"max_abs", "--mask-abs"},
                                                                  {"quantile", "--mask-quantile"},
                                                                  {"LAYOUT_ROWS", "rows"},
                                                                  {"LAYOUT_PER_RUN", "per-run"},
                                                                  {"VIEW_BYTES", "bytes"},
                                                                  {"VIEW_PREVIEW", "preview"},
                                                                  {"VIEW_FLOATS", "floats"},
                                                                  {"VIEW_SUMMARY", "summary"},
                                                                  {"DTYPE_FLOAT32", "float32"},
                                                                  {"DTYPE_FLOAT16", "float16"},
                                                                  {"DTYPE_BFLOAT16", "bfloat16"},
                                                                  {"REDUCTION_MEAN", "mean"},
                                                                  {"REDUCTION_MAX", "max"},
                                                                  {"ListHookPoints", "`hydrophone hooks`"}}) {
    words.SayTerm(term, text);
  }
  return words;
}

std::optional<RequestWords::Words> RequestWords::Find(absl::string_view path) const {
  auto found = paths_.find(path);
  if (found == paths_.end()) found = paths_.find(WithAnyIndex(path));
  if (found != paths_.end()) return found->second;
  return FindNumbered(path);
}

std::optional<RequestWords::Words> RequestWords::FindNumbered(absl::string_view path) const {
  if (const auto input = IndexIn("inputs", path); input && *input < inputs_.size()) return inputs_[*input];
  const auto run = IndexIn("runs", path);
  if (!run) return std::nullopt;
  const std::string text = RunText(*run);
  return text.empty() ? std::nullopt : std::optional<Words>({text, Rest::kDropped});
}

std::string RequestWords::RunText(uint32_t run) const {
  if (runs_.empty()) return run < inputs_.size() ? inputs_[run].text : "";
  if (run >= runs_.size() || runs_[run].input >= inputs_.size()) return "";
  return absl::StrCat("the ", runs_[run].kind, " run of ", inputs_[runs_[run].input].text);
}

std::string RequestWords::Of(absl::string_view field) const {
  for (absl::string_view path = field; !path.empty(); path = Parent(path)) {
    const auto words = Find(path);
    if (!words) continue;
    absl::string_view rest = field.substr(path.size());
    if (rest.empty() || words->rest == Rest::kDropped) return words->text;
    if (words->rest == Rest::kPath) return absl::StrCat(words->text, rest);
    absl::ConsumePrefix(&rest, ".");
    return absl::StrCat(words->text, ", ", Describe(rest));
  }
  return std::string(field);
}

std::string RequestWords::Describe(absl::string_view description) const {
  std::string told;
  while (!description.empty()) {
    const size_t quoted = QuotedSize(description);
    const size_t word = quoted > 0 ? 0 : WordSize(description);
    const size_t size = std::max<size_t>(std::max(quoted, word), 1);
    if (word > 0) {
      AppendWord(description.substr(0, word), &told);
    } else {
      absl::StrAppend(&told, description.substr(0, size));
    }
    description.remove_prefix(size);
  }
  return told;
}

void RequestWords::AppendWord(absl::string_view word, std::string* told) const {
  uint32_t number = 0;
  if (const auto term = terms_.find(word); term != terms_.end()) {
    absl::StrAppend(told, term->second);
  } else if (absl::StrContains(word, '[')) {
    absl::StrAppend(told, Of(word));
  } else if (absl::EndsWith(*told, kRun) && absl::SimpleAtoi(word, &number) && !RunText(number).empty()) {
    told->resize(told->size() - kRun.size());
    absl::StrAppend(told, runs_.empty() ? "the run of " : "", RunText(number));
  } else {
    absl::StrAppend(told, word);
  }
}

absl::Status RequestWords::Reword(const absl::Status& status) const {
  return MapViolations(status, [this](const FieldViolation& violation) {
    return FieldViolation{Of(violation.field), Describe(violation.description)};
  });
}

}  // namespace hydrophone::client
