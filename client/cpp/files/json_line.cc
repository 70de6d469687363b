#include "client/cpp/files/json_line.h"

#include <cstdint>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "server/base/bounded_json.h"

namespace hydrophone::client {
namespace {

using Json = nlohmann::json;

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

std::string SetField(const std::string& name, const Json& value, v1::Input* input) {
  if (name == "key") return SetKey(value, input);
  if (name == "text") return SetText(value, input);
  if (name == "token_ids") return SetTokenIds(value, input);
  if (name == "text_bytes_base64") return SetBytes(value, input);
  return absl::StrCat("unknown field \"", name, "\", expected text, token_ids, text_bytes_base64 or key");
}

}  // namespace

absl::StatusOr<v1::Input> InputFromJsonLine(const std::string& line) {
  const auto parsed = ParseBoundedJson(line);
  if (!parsed.ok()) return absl::InvalidArgumentError(absl::StrCat("the line ", parsed.status().message()));
  v1::Input input;
  if (parsed->is_string()) {
    input.set_text(parsed->get<std::string>());
    return input;
  }
  if (!parsed->is_object()) return absl::InvalidArgumentError("the line is neither a JSON object nor a JSON string");
  int contents = 0;
  for (const auto& [name, value] : parsed->items()) {
    if (const std::string wrong = SetField(name, value, &input); !wrong.empty()) {
      return absl::InvalidArgumentError(wrong);
    }
    if (name != "key") ++contents;
  }
  if (contents == 1) return input;
  return absl::InvalidArgumentError(
      absl::StrCat("got ", contents, " of text, token_ids and text_bytes_base64, expected exactly one"));
}

}  // namespace hydrophone::client
