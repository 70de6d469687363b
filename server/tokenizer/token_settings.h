// What a checkpoint's directory says about its tokenizer beside the pieces and the merges: tokenizer_config.json,
// special_tokens_map.json, added_tokens.json, and the settings of tokenizer.json.
#ifndef HYDROPHONE_SERVER_TOKENIZER_TOKEN_SETTINGS_H_
#define HYDROPHONE_SERVER_TOKENIZER_TOKEN_SETTINGS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/tokenizer/added_tokens.h"

namespace hydrophone {

// The files, parsed; null for one that is not there.
struct SettingsFiles {
  nlohmann::json config;          // tokenizer_config.json
  nlohmann::json special_tokens;  // special_tokens_map.json
  nlohmann::json added_tokens;    // added_tokens.json
  nlohmann::json tokenizer;       // tokenizer.json
  std::string model_class;        // config.json's tokenizer_class; empty if it has none
};

// Ids put before and after every text.
struct TextFrame {
  std::vector<uint32_t> before;
  std::vector<uint32_t> after;
};

struct TokenSettings {
  bool add_prefix_space = false;
  bool add_bos = false;
  bool add_eos = false;
  std::optional<std::string> bos;
  std::optional<std::string> eos;
  std::vector<AddedToken> added;   // in the order in which ids are given
  std::optional<TextFrame> frame;  // what tokenizer.json's post-processor adds, instead of add_bos and add_eos
  std::vector<std::string> notes;  // what the files hold that Hugging Face leaves out too, a sentence each
};

// Reads the files as Hugging Face's AutoTokenizer of transformers 5.23 does. As there, tokenizer_class decides what
// counts. GPT2Tokenizer, which is the default, takes the pieces, the merges, the added tokens and the post-processor
// from tokenizer.json, if that is there, and is GPT-2's tokenizer otherwise, whatever else stands in it; that is noted.
// PreTrainedTokenizerFast and TokenizersBackend take tokenizer.json whole. INVALID_ARGUMENT, naming the file, the
// member, what it is and what it must be, when a value is of the wrong type, or changes ids in a way that is not built.
absl::StatusOr<TokenSettings> ReadTokenSettings(const SettingsFiles& files);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_TOKEN_SETTINGS_H_
