#include "tests/server/tokenizer/small_vocabulary.h"

#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "server/tokenizer/byte_alphabet.h"
#include "server/tokenizer/load.h"

namespace hydrophone {
namespace {

std::string Quoted(absl::string_view piece) {
  const bool escaped = piece == "\"" || piece == "\\";
  return absl::StrCat("\"", escaped ? "\\" : "", piece, "\"");
}

}  // namespace

std::string SmallVocabJson(const std::vector<std::string>& pieces) {
  std::string json = "{";
  for (int byte = 0; byte < 256; ++byte) {
    absl::StrAppend(&json, Quoted(PrintableByte(static_cast<uint8_t>(byte))), ": ", byte, ", ");
  }
  absl::StrAppend(&json, Quoted(kEndOfText), ": 256");
  for (size_t i = 0; i < pieces.size(); ++i) {
    absl::StrAppend(&json, ", ", Quoted(pieces[i]), ": ", 257 + i);
  }
  return json + "}";
}

std::string SmallTokenizerJson(const std::vector<std::string>& pieces, const std::string& merges) {
  return absl::StrCat(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [{"id": 256, "content": "<|endoftext|>", "single_word": false, "lstrip": false,
                      "rstrip": false, "normalized": false, "special": true}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
    "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
              "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
              "vocab": )",
                      SmallVocabJson(pieces), R"(, "merges": )", merges, "}}");
}

Vocabulary SmallVocabulary(const std::vector<std::string>& pieces) {
  absl::StatusOr<Vocabulary> vocabulary = Vocabulary::Parse(SmallVocabJson(pieces));
  EXPECT_TRUE(vocabulary.ok()) << vocabulary.status();
  return *std::move(vocabulary);
}

const Tokenizer& Gpt2() {
  static const Tokenizer* const tokenizer = [] {
    auto loaded = LoadTokenizer(kDefaultModel);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return loaded->release();
  }();
  return *tokenizer;
}

std::vector<std::string> PiecesOf(const Tokenizer& tokenizer, const std::vector<EncodedToken>& tokens) {
  std::vector<std::string> pieces;
  for (const EncodedToken& token : tokens) pieces.emplace_back(tokenizer.Piece(token.id));
  return pieces;
}

}  // namespace hydrophone
