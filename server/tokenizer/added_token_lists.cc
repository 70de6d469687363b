#include "server/tokenizer/added_token_lists.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/messages.h"
#include "server/tokenizer/json_values.h"
#include "server/tokenizer/token_settings.h"

namespace hydrophone {
namespace {

using Json = nlohmann::json;

constexpr std::array<const char*, 7> kRoles = {"bos_token", "eos_token", "unk_token", "sep_token",
                                               "pad_token", "cls_token", "mask_token"};
constexpr char kConfig[] = "tokenizer_config.json";

bool IsRole(absl::string_view name) { return std::find(kRoles.begin(), kRoles.end(), name) != kRoles.end(); }

// A token written as an object: {"content": "[PAD]", "lstrip": false, ...}. `special`: whether it is where it does not
// say.
absl::StatusOr<AddedToken> TokenOf(const Json& object, const std::string& where, bool special = false) {
  AddedToken token;
  const Json& content = Member(object, "content");
  if (!content.is_string()) return RefusedValue(absl::StrCat(where, ".content"), content, "a string");
  token.content = content.get<std::string>();
  bool single_word = false;
  const std::pair<const char*, bool*> flags[] = {{"special", &token.special},
                                                 {"lstrip", &token.lstrip},
                                                 {"rstrip", &token.rstrip},
                                                 {"single_word", &single_word},
                                                 {"normalized", &token.normalized}};
  for (const auto& [name, flag] : flags) {
    const absl::StatusOr<bool> value = Flag(object, name);
    if (!value.ok()) return Annotate(value.status(), where);
    *flag = *value;
  }
  token.special |= special;
  if (single_word) return RefusedValue(absl::StrCat(where, ".single_word"), true, "false: whole words are not built");
  if (!object.contains("normalized")) token.normalized = !token.special;
  return token;
}

// How a file writes a special token: its content, or an object, which in tokenizer_config.json has a "__type".
struct Notation {
  const char* file;
  bool typed;
};
constexpr Notation kInConfig = {kConfig, true};
constexpr Notation kInMap = {"special_tokens_map.json", false};

absl::StatusOr<AddedToken> SpecialTokenOf(const Json& value, const std::string& where, bool typed) {
  if (value.is_string()) return AddedToken{value.get<std::string>(), false, false, false, /*special=*/true};
  if (typed && Member(value, "__type") == "AddedToken") return TokenOf(value, where);
  if (!typed && value.is_object()) return TokenOf(value, where, /*special=*/true);
  return RefusedValue(where, value, "a token: a string, or an object with \"__type\": \"AddedToken\"");
}

// The added tokens by their ids.
using ById = std::map<int64_t, AddedToken>;

absl::StatusOr<ById> AddedTokensDecoder(const Json& decoder) {
  ById tokens;
  const std::string name = absl::StrCat(kConfig, ": added_tokens_decoder");
  if (!decoder.is_object()) return RefusedValue(name, decoder, "an object from ids to tokens");
  for (const auto& [key, value] : decoder.items()) {
    int64_t id = 0;
    if (!absl::SimpleAtoi(key, &id)) return RefusedValue(absl::StrCat(name, "'s key"), key, "an id");
    absl::StatusOr<AddedToken> token = TokenOf(value, absl::StrCat(name, "[\"", key, "\"]"));
    if (!token.ok()) return token.status();
    tokens[id] = *std::move(token);
  }
  return tokens;
}

absl::Status TakeAddedTokensFile(const Json& file, const std::set<std::string>& special, ById* tokens) {
  if (file.is_null()) return absl::OkStatus();
  if (!file.is_object()) return RefusedValue("added_tokens.json: the whole", file, "an object from tokens to ids");
  for (const auto& [content, id] : file.items()) {
    if (!id.is_number_unsigned()) {
      return RefusedValue(absl::StrCat("added_tokens.json: [", ShowPiece(content), "]"), id, "an id");
    }
    const bool is_special = special.count(content) > 0;
    (*tokens)[id.get<int64_t>()] = AddedToken{content, false, false, !is_special, is_special};
  }
  return absl::OkStatus();
}

absl::Status TakeTokenizerJson(const Json& tokenizer, ById* tokens) {
  const Json& list = Member(tokenizer, "added_tokens");
  if (list.is_null()) return absl::OkStatus();
  if (!list.is_array()) return RefusedValue("tokenizer.json: added_tokens", list, "an array");
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string where = absl::StrCat("tokenizer.json: added_tokens[", i, "]");
    const Json& id = Member(list[i], "id");
    if (!id.is_number_unsigned()) return RefusedValue(absl::StrCat(where, ".id"), id, "an id");
    absl::StatusOr<AddedToken> token = TokenOf(list[i], where);
    if (!token.ok()) return token.status();
    (*tokens)[id.get<int64_t>()] = *std::move(token);
  }
  return absl::OkStatus();
}

// The special tokens by name, an absent one being null, and the further ones.
struct Specials {
  std::map<std::string, AddedToken> roles;
  std::set<std::string> none;             // roles that a file gives as null
  std::map<std::string, AddedToken> own;  // with names of their own ("image_token")
  std::vector<AddedToken> further;
};

absl::Status TakeNamed(const std::string& name, const Json& value, const std::string& where, bool typed,
                       Specials* specials) {
  if (value.is_null()) {
    if (specials->roles.erase(name) > 0 || IsRole(name)) specials->none.insert(name);
    return absl::OkStatus();
  }
  absl::StatusOr<AddedToken> token = SpecialTokenOf(value, where, typed);
  if (!token.ok()) return token.status();
  specials->none.erase(name);
  token->special = true;
  (IsRole(name) ? specials->roles : specials->own)[name] = *std::move(token);
  return absl::OkStatus();
}

// A list of further special tokens, or an object of tokens with names.
absl::Status TakeFurther(const Json& value, const std::string& where, bool typed, Specials* specials) {
  if (!value.is_null() && !value.is_array() && !value.is_object()) {
    return RefusedValue(where, value, "a list or an object of tokens");
  }
  for (const auto& [key, element] : value.items()) {
    const std::string place = absl::StrCat(where, "[", key, "]");
    if (value.is_object()) {
      if (absl::Status taken = TakeNamed(key, element, place, typed, specials); !taken.ok()) return taken;
      continue;
    }
    absl::StatusOr<AddedToken> token = SpecialTokenOf(element, place, typed);
    if (!token.ok()) return token.status();
    specials->further.push_back(*std::move(token));
  }
  return absl::OkStatus();
}

absl::Status TakeAllNamed(const Json& file, const Notation& notation, Specials* specials) {
  for (const auto& [key, value] : file.items()) {
    const std::string where = absl::StrCat(notation.file, ": ", key);
    const bool is_token = value.is_string() || value.is_object();
    absl::Status taken;
    if (IsRole(key) || (absl::EndsWith(key, "_token") && is_token)) {
      taken = TakeNamed(key, value, where, notation.typed, specials);
    } else if (key == "model_specific_special_tokens") {
      taken = TakeFurther(value, where, notation.typed, specials);
    }
    if (!taken.ok()) return taken;
  }
  return absl::OkStatus();
}

// Of the two names for the list of further special tokens the older counts where the newer is empty; in
// special_tokens_map.json only where tokenizer_config.json has neither.
absl::Status TakeAllFurther(const Json& config, const Json& map, Specials* specials) {
  constexpr char kNewer[] = "extra_special_tokens";
  constexpr char kOlder[] = "additional_special_tokens";
  const bool newer = !Member(config, kNewer).empty();
  absl::Status taken = TakeFurther(Member(config, newer ? kNewer : kOlder),
                                   absl::StrCat(kInConfig.file, ": ", newer ? kNewer : kOlder), true, specials);
  if (taken.ok() && map.contains(kNewer)) {
    return TakeFurther(map[kNewer], absl::StrCat(kInMap.file, ": ", kNewer), false, specials);
  }
  if (!taken.ok() || config.contains(kNewer) || config.contains(kOlder)) return taken;
  return TakeFurther(Member(map, kOlder), absl::StrCat(kInMap.file, ": ", kOlder), true, specials);
}

absl::StatusOr<Specials> ReadSpecials(const SettingsFiles& files, bool has_decoder) {
  const Json map = has_decoder ? Json() : files.special_tokens;  // which added_tokens_decoder replaces
  Specials specials;
  absl::Status taken = TakeAllNamed(files.config, kInConfig, &specials);
  if (taken.ok()) taken = TakeAllNamed(map, kInMap, &specials);
  if (taken.ok()) taken = TakeAllFurther(files.config, map, &specials);
  if (!taken.ok()) return taken;
  return specials;
}

bool Holds(const std::vector<AddedToken>& tokens, absl::string_view content) {
  return std::any_of(tokens.begin(), tokens.end(), [&](const AddedToken& token) { return token.content == content; });
}

absl::StatusOr<ById> ReadAddedTokens(const SettingsFiles& files, const Specials& specials, bool has_decoder) {
  if (has_decoder) return AddedTokensDecoder(files.config["added_tokens_decoder"]);
  std::set<std::string> special;
  for (const auto& [name, token] : specials.roles) special.insert(token.content);
  for (const AddedToken& token : specials.further) special.insert(token.content);
  ById tokens;
  absl::Status taken = TakeAddedTokensFile(files.added_tokens, special, &tokens);
  if (taken.ok()) taken = TakeTokenizerJson(files.tokenizer, &tokens);
  if (!taken.ok()) return taken;
  return tokens;
}

// <|endoftext|> for the roles of GPT-2 that no file mentions.
void AddDefaults(Specials* specials) {
  for (const char* role : {"bos_token", "eos_token", "unk_token"}) {
    if (specials->none.count(role) > 0) continue;
    specials->roles.emplace(role, AddedToken{std::string(kEndOfText), false, false, false, /*special=*/true});
  }
}

std::optional<std::string> ContentOf(const Specials& specials, const char* role) {
  const auto found = specials.roles.find(role);
  if (found == specials.roles.end()) return std::nullopt;
  return found->second.content;
}

// The order of two new tokens with names of their own is the file's, which the parsed file does not keep.
absl::Status TakeOwn(const Specials& specials, const std::vector<AddedToken>& listed, std::vector<AddedToken>* added) {
  std::string first;
  for (const auto& [name, token] : specials.own) {
    if (Holds(listed, token.content)) continue;
    if (!first.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(kConfig, ": both ", first, " and ", name,
                                                     " add a token, expected one at most, or added_tokens_decoder "
                                                     "with all of them, which gives their order"));
    }
    first = name;
    added->push_back(token);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TokenRoles> ReadTokenRoles(const SettingsFiles& files, bool whole) {
  const bool has_decoder = files.config.contains("added_tokens_decoder");
  absl::StatusOr<Specials> specials = ReadSpecials(files, has_decoder);
  if (!specials.ok()) return specials.status();
  const absl::StatusOr<ById> by_id = ReadAddedTokens(files, *specials, has_decoder);
  if (!by_id.ok()) return by_id.status();
  if (!whole) AddDefaults(&*specials);

  TokenRoles result;
  ById first;
  if (whole) {
    if (absl::Status taken = TakeTokenizerJson(files.tokenizer, &first); !taken.ok()) return taken;
  }
  for (const ById& tokens : {first, *by_id}) {
    for (const auto& [id, token] : tokens) result.added.push_back(token);
  }
  const std::vector<AddedToken> listed = result.added;
  for (const char* role : kRoles) {
    const auto found = specials->roles.find(role);
    if (found == specials->roles.end()) continue;
    for (AddedToken& token : result.added) token.special |= token.content == found->second.content;
    const bool again = std::find(result.added.begin(), result.added.end(), found->second) != result.added.end();
    if (!again && !Holds(listed, found->second.content)) result.added.push_back(found->second);
  }
  if (absl::Status taken = TakeOwn(*specials, listed, &result.added); !taken.ok()) return taken;
  for (const AddedToken& token : specials->further) {
    if (!Holds(listed, token.content)) result.added.push_back(token);
  }
  result.bos = ContentOf(*specials, "bos_token");
  result.eos = ContentOf(*specials, "eos_token");
  return result;
}

}  // namespace hydrophone
