#include "server/tokenizer/token_settings.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/messages.h"
#include "server/tokenizer/added_token_lists.h"
#include "server/tokenizer/json_values.h"
#include "server/tokenizer/tokenizer_json.h"

namespace hydrophone {
namespace {

using Json = nlohmann::json;

constexpr char kConfig[] = "tokenizer_config.json: ";

// Members that transformers would hand to the tokenizer's constructor, and that no tokenizer saves.
constexpr const char* kUnknownArguments[] = {
    "vocab",     "merges",   "init_inputs",          "post_processor",      "tokenizer_object", "tokenizer_padding",
    "gguf_file", "auto_map", "fast_tokenizer_files", "tokenizer_truncation"};

absl::Status CheckConfig(const Json& config) {
  if (!config.is_null() && !config.is_object()) return RefusedValue("the whole", config, "an object");
  for (const char* name : kUnknownArguments) {
    const Json& value = Member(config, name);
    if (!value.is_null() && !value.empty()) return RefusedValue(name, value, "none");
  }
  const absl::StatusOr<bool> split = Flag(config, "split_special_tokens");
  if (!split.ok()) return split.status();
  if (*split) return RefusedValue("split_special_tokens", true, "false: a request asks for it by literal_specials");
  return absl::OkStatus();
}

// Whether tokenizer.json is taken whole.
absl::StatusOr<bool> TakenWhole(const SettingsFiles& files) {
  const Json& of_config = Member(files.config, "tokenizer_class");
  if (!of_config.is_null() && !of_config.is_string()) {
    return RefusedValue(absl::StrCat(kConfig, "tokenizer_class"), of_config, "a string");
  }
  const bool in_config = of_config.is_string();
  const std::string name = in_config ? of_config.get<std::string>() : files.model_class;
  const absl::string_view plain = absl::StripSuffix(name, "Fast");
  if (plain.empty() || plain == "GPT2Tokenizer") return false;
  const std::string where = absl::StrCat(in_config ? kConfig : "config.json: ", "tokenizer_class");
  if (plain != "PreTrainedTokenizer" && plain != "TokenizersBackend") {
    return RefusedValue(where, name, "GPT2Tokenizer, or PreTrainedTokenizerFast beside a tokenizer.json");
  }
  if (files.tokenizer.is_null()) return RefusedValue(where, name, "GPT2Tokenizer where there is no tokenizer.json");
  return true;
}

// tokenizer.json's settings, which count only if it is taken whole.
absl::Status ReadPipeline(const Json& tokenizer, bool whole, TokenSettings* settings) {
  for (const absl::Status& other : OtherThanGpt2(tokenizer)) {
    if (whole) return Annotate(other, "tokenizer.json");
    settings->notes.push_back(
        absl::StrCat("tokenizer.json: ", other.message(), "; left out, as Hugging Face's GPT2Tokenizer leaves it out"));
  }
  const Json& spaces = Member(Member(tokenizer, "pre_tokenizer"), "add_prefix_space");
  if (whole) {
    settings->add_prefix_space = spaces == true;
  } else if (spaces.is_boolean() && spaces != settings->add_prefix_space) {
    settings->notes.push_back(absl::StrCat("tokenizer.json: pre_tokenizer.add_prefix_space is ", spaces.dump(),
                                           "; tokenizer_config.json's counts, as for Hugging Face's GPT2Tokenizer"));
  }
  absl::StatusOr<TextFrame> frame = FrameOf(Member(tokenizer, "post_processor"));
  if (!frame.ok()) return Annotate(frame.status(), "tokenizer.json");
  settings->frame = *std::move(frame);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TokenSettings> ReadTokenSettings(const SettingsFiles& files) {
  if (absl::Status checked = CheckConfig(files.config); !checked.ok()) {
    return Annotate(checked, "tokenizer_config.json");
  }
  const Json& map = files.special_tokens;
  if (!map.is_null() && !map.is_object()) return RefusedValue("special_tokens_map.json: the whole", map, "an object");
  const absl::StatusOr<bool> whole = TakenWhole(files);
  if (!whole.ok()) return whole.status();

  TokenSettings settings;
  const std::pair<const char*, bool*> flags[] = {{"add_prefix_space", &settings.add_prefix_space},
                                                 {"add_bos_token", &settings.add_bos},
                                                 {"add_eos_token", &settings.add_eos}};
  for (const auto& [name, flag] : flags) {
    const absl::StatusOr<bool> value = Flag(files.config, name);
    if (!value.ok()) return Annotate(value.status(), "tokenizer_config.json");
    *flag = *value;
  }
  if (!files.tokenizer.is_null()) {
    if (absl::Status read = ReadPipeline(files.tokenizer, *whole, &settings); !read.ok()) return read;
  }
  absl::StatusOr<TokenRoles> roles = ReadTokenRoles(files, *whole);
  if (!roles.ok()) return roles.status();
  settings.bos = std::move(roles->bos);
  settings.eos = std::move(roles->eos);
  settings.added = std::move(roles->added);
  return settings;
}

}  // namespace hydrophone
