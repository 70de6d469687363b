// The files of a tokenizer's directory.
//
// An input holds files one after the other, each after a line "== NAME"; where neither tokenizer.json nor a vocabulary
// is among them, there is a good vocabulary of the 256 bytes and some merges.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/base/utf8.h"
#include "server/tokenizer/byte_alphabet.h"
#include "server/tokenizer/load.h"
#include "tests/fakes/checkpoint_files.h"
#include "tests/fuzz/require.h"

namespace hydrophone {
namespace {

constexpr const char* kNames[] = {"vocab.json",  "merges.txt",        "tokenizer.json",         "tokenizer_config.json",
                                  "config.json", "added_tokens.json", "special_tokens_map.json"};
constexpr char kMerges[] = "#version: 0.2\nt h\nth e\n\xC4\xA0 the\n";

std::string ByteVocabulary() {
  std::string json = "{";
  for (int byte = 0; byte < 256; ++byte) {
    std::string piece(PrintableByte(static_cast<uint8_t>(byte)));
    if (piece == "\"" || piece == "\\") piece.insert(0, "\\");
    absl::StrAppend(&json, "\"", piece, "\":", byte, ",");
  }
  return absl::StrCat(json, R"("th":256,"the":257,")", "\xC4\xA0", R"(the":258,"<|endoftext|>":259})");
}

std::map<std::string, std::string> FilesOf(absl::string_view input) {
  std::map<std::string, std::string> files;
  std::string* file = nullptr;
  for (absl::string_view line : absl::StrSplit(input, '\n')) {
    absl::string_view name = line;
    if (absl::ConsumePrefix(&name, "== ")) {
      file = nullptr;
      for (const char* known : kNames) {
        if (name == known) file = &files[known];
      }
    } else if (file != nullptr) {
      absl::StrAppend(file, line, "\n");
    }
  }
  return files;
}

void WriteFiles(std::map<std::string, std::string> files, const TempDirectory& directory) {
  static const std::string vocabulary = ByteVocabulary();
  if (files.count("tokenizer.json") == 0 && files.count("vocab.json") == 0) {
    files["vocab.json"] = vocabulary;
    files.emplace("merges.txt", kMerges);
  }
  for (const char* name : kNames) {
    const auto found = files.find(name);
    if (found == files.end()) {
      std::filesystem::remove(directory.File(name));
    } else {
      directory.Write(name, found->second);
    }
  }
}

// Encodes a text with all kinds of characters in it, and the fuzzer's own input.
void Use(const Tokenizer& tokenizer, absl::string_view input) {
  for (uint32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    Require(IsUtf8(tokenizer.Piece(id)), "a piece can be sent");
    tokenizer.Bytes(id);
  }
  for (const absl::string_view text : {absl::string_view("the \xC3\xA9  the<|endoftext|>\xFF 12's\n"), input}) {
    for (const SpecialTokens specials : {SpecialTokens::kAsTokens, SpecialTokens::kAsLiteral}) {
      uint32_t end = 0;
      std::vector<uint32_t> ids;
      for (const EncodedToken& token : tokenizer.Encode(text, specials)) {
        Require(token.id < tokenizer.vocab_size(), "an id is in the vocabulary");
        Require(token.begin >= end && token.end >= token.begin && token.end <= text.size(), "offsets ascend");
        end = token.end;
        ids.push_back(token.id);
      }
      Require(tokenizer.Decode(ids).ok(), "what was encoded can be decoded");
    }
  }
}

}  // namespace
}  // namespace hydrophone

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hydrophone;
  static const TempDirectory& directory = *new TempDirectory;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  WriteFiles(FilesOf(input), directory);
  const auto tokenizer = LoadTokenizer(directory.path());
  if (tokenizer.ok()) {
    Use(**tokenizer, input);
  } else {
    RequireGoodRefusal(tokenizer.status());
  }
  return 0;
}
