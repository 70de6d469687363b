#include "client/cpp/cli/inputs.h"

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "server/base/bounded_json.h"
#include "server/base/utf8.h"

namespace hydrophone::client {
namespace {

using Json = nlohmann::json;
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

// Each setter gives "" or what is wrong with the value.
std::string SetText(const Json& value, v1::Input* input) {
  if (!value.is_string()) return "\"text\" is not a string";
  input->set_text(value.get<std::string>());
  return "";
}

std::string SetTokenIds(const Json& value, v1::Input* input) {
  if (!value.is_array()) return "\"token_ids\" is not an array";
  for (const Json& id : value) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > std::numeric_limits<uint32_t>::max()) {
      return absl::StrCat("\"token_ids\" holds ", id.dump(-1, ' ', true, Json::error_handler_t::replace),
                          ", expected numbers from 0 to 4294967295");
    }
    input->add_token_ids(id.get<uint32_t>());
  }
  return "";
}

std::string SetBytes(const Json& value, v1::Input* input) {
  std::string bytes;
  if (!value.is_string() || !absl::Base64Unescape(value.get<std::string>(), &bytes)) {
    return "\"text_bytes_base64\" is not base64";
  }
  input->set_raw_text(bytes);
  return "";
}

std::string SetKey(const Json& value, v1::Input* input) {
  if (!value.is_string()) return "\"key\" is not a string";
  input->set_key(value.get<std::string>());
  return "";
}

// "" or what is wrong with the line.
std::string InputFromJson(const std::string& line, v1::Input* input) {
  const auto parsed = ParseBoundedJson(line);
  if (!parsed.ok()) return absl::StrCat("the line ", parsed.status().message());
  if (!parsed->is_object()) return "the line is not a JSON object";
  const Json& json = *parsed;
  int contents = 0;
  for (const auto& [name, value] : json.items()) {
    std::string wrong;
    if (name == "key") {
      wrong = SetKey(value, input);
    } else if (name == "text") {
      wrong = SetText(value, input);
    } else if (name == "token_ids") {
      wrong = SetTokenIds(value, input);
    } else if (name == "text_bytes_base64") {
      wrong = SetBytes(value, input);
    } else {
      wrong = absl::StrCat("unknown field \"", name, "\", expected text, token_ids, text_bytes_base64 or key");
    }
    if (!wrong.empty()) return wrong;
    if (name != "key") ++contents;
  }
  if (contents != 1) {
    return absl::StrCat("got ", contents, " of text, token_ids and text_bytes_base64, expected exactly one");
  }
  return "";
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
    v1::Input input;
    if (const std::string wrong = InputFromJson(line, &input); !wrong.empty()) return InLine(name, number, wrong);
    inputs.push_back({std::move(input), LineWords(name, number), Rest::kNamed});
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
