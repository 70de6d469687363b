#include "client/cpp/cli/inputs.h"

#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cpp/files/json_line.h"
#include "server/base/utf8.h"

namespace hydrophone::client {
namespace {

constexpr absl::string_view kUtf8Mark = "\xEF\xBB\xBF";

using Inputs = absl::StatusOr<std::vector<GivenInput>>;

std::string LineWords(absl::string_view name, size_t line) { return absl::StrCat(name, ":", line); }

absl::Status InLine(absl::string_view name, size_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(LineWords(name, line), ": ", what));
}

// The next line without its end; false at the end of the stream.
bool NextLine(std::istream& stream, std::string* line) {
  if (!std::getline(stream, *line)) return false;
  if (!line->empty() && line->back() == '\r') line->pop_back();
  return true;
}

// Whether a text begins with UTF-16's byte order mark, in either order.
bool IsUtf16(absl::string_view text) {
  return absl::StartsWith(text, "\xff\xfe") || absl::StartsWith(text, "\xfe\xff");
}

Inputs FromFile(const std::string& path, std::istream& standard_input,
                const std::function<Inputs(std::istream&, absl::string_view)>& read) {
  if (path == "-") return read(standard_input, "standard input");
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": ", std::generic_category().message(errno)));
  }
  return read(file, path);
}

void Append(std::vector<GivenInput> from, std::vector<GivenInput>* to) {
  to->insert(to->end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

v1::Input InputFromText(std::string text) {
  v1::Input input;
  if (IsUtf8(text)) {
    input.set_text(std::move(text));
  } else {
    input.set_raw_text(std::move(text));
  }
  return input;
}

Inputs InputsFromLines(std::istream& stream, absl::string_view name, bool keep_empty) {
  std::vector<GivenInput> inputs;
  std::string line;
  for (size_t number = 1; NextLine(stream, &line); ++number) {
    if (number == 1) line = std::string(absl::StripPrefix(line, kUtf8Mark));
    if (number == 1 && IsUtf16(line)) {
      return InLine(name, number, "the text is UTF-16, expected UTF-8; iconv -f UTF-16 -t UTF-8 converts it");
    }
    if (!IsUtf8(line)) {
      return InLine(name, number, "the line is not UTF-8; bytes of any kind go as \"text_bytes_base64\" in --jsonl");
    }
    if (line.empty() && !keep_empty) {
      return InLine(name, number, "the line is empty; an input needs at least one token");
    }
    GivenInput& given = inputs.emplace_back();
    given.input.set_text(line);
    given.words = LineWords(name, number);
  }
  if (stream.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", name));
  return inputs;
}

Inputs InputsFromJsonLines(std::istream& stream, absl::string_view name) {
  std::vector<GivenInput> inputs;
  std::string line;
  for (size_t number = 1; NextLine(stream, &line); ++number) {
    if (number == 1) line = std::string(absl::StripPrefix(line, kUtf8Mark));
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    auto input = InputFromJsonLine(line);
    if (!input.ok()) return InLine(name, number, input.status().message());
    inputs.push_back({*std::move(input), LineWords(name, number), Rest::kNamed});
  }
  if (stream.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", name));
  return inputs;
}

Inputs ReadInputs(const InputSources& sources, std::istream& standard_input) {
  std::vector<GivenInput> inputs;
  for (const std::string& text : sources.texts) inputs.push_back({InputFromText(text), QuotedWords(text)});
  if (!sources.text_file.empty()) {
    auto lines = FromFile(sources.text_file, standard_input, [&](std::istream& stream, absl::string_view name) {
      return InputsFromLines(stream, name, sources.keep_empty_lines);
    });
    if (!lines.ok()) return lines.status();
    Append(*std::move(lines), &inputs);
  }
  if (!sources.jsonl_file.empty()) {
    auto lines = FromFile(sources.jsonl_file, standard_input, InputsFromJsonLines);
    if (!lines.ok()) return lines.status();
    Append(*std::move(lines), &inputs);
  }
  return inputs;
}

}  // namespace hydrophone::client
