// Encodes many inputs in one run, for comparing with Hugging Face's tokenizer.
//
//   tokenize_dump DIRECTORY [--framed] < inputs > tokens
//
// inputs: any number of   mode:u8 (0: <|endoftext|> is a token, 1: it is text) size:u32 bytes[size]
// tokens: for each input  count:u32 (id:u32 begin:u32 end:u32)[count]
//
// All numbers in the machine's own byte order. Every input is also decoded again; the program exits
// with 1 and a line on standard error when that does not give the input back, or when something
// else is wrong. With --framed, the ids around a text are given too, and nothing is decoded again,
// because a tokenizer's settings may add to the text.
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "server/tokenizer/load.h"

namespace hydrophone {
namespace {

template <typename T>
bool Read(T* value) {
  return static_cast<bool>(std::cin.read(reinterpret_cast<char*>(value), sizeof *value));
}

void Write(uint32_t value) { std::cout.write(reinterpret_cast<const char*>(&value), sizeof value); }

bool ReadInput(uint8_t* mode, std::string* input) {
  uint32_t size = 0;
  if (!Read(mode) || !Read(&size)) return false;
  input->resize(size);
  return size == 0 || std::cin.read(input->data(), size);
}

bool DecodesTo(const Tokenizer& tokenizer, const std::vector<EncodedToken>& tokens, const std::string& input) {
  std::vector<uint32_t> ids;
  for (const EncodedToken& token : tokens) ids.push_back(token.id);
  const absl::StatusOr<std::string> decoded = tokenizer.Decode(ids);
  return decoded.ok() && *decoded == input;
}

int Fail(absl::string_view message) {
  std::cerr << "tokenize_dump: " << message << "\n";
  return 1;
}

std::vector<EncodedToken> Framed(const Tokenizer& tokenizer, std::vector<EncodedToken> text, uint32_t size) {
  std::vector<EncodedToken> tokens;
  for (const uint32_t id : tokenizer.ids_before_text()) tokens.push_back({id, 0, 0});
  tokens.insert(tokens.end(), text.begin(), text.end());
  for (const uint32_t id : tokenizer.ids_after_text()) tokens.push_back({id, size, size});
  return tokens;
}

int Main(int argc, char** argv) {
  const bool framed = argc == 3 && std::string(argv[2]) == "--framed";
  if (argc != 2 && !framed) return Fail("usage: tokenize_dump DIRECTORY [--framed] < inputs > tokens");
  const auto tokenizer = LoadTokenizer(argv[1]);
  if (!tokenizer.ok()) return Fail(tokenizer.status().message());
  uint8_t mode = 0;
  for (std::string input; ReadInput(&mode, &input);) {
    const auto specials = mode == 0 ? SpecialTokens::kAsTokens : SpecialTokens::kAsLiteral;
    std::vector<EncodedToken> tokens = (*tokenizer)->Encode(input, specials);
    if (framed) tokens = Framed(**tokenizer, std::move(tokens), static_cast<uint32_t>(input.size()));
    if (!framed && !DecodesTo(**tokenizer, tokens, input)) return Fail("an input does not decode to itself");
    Write(static_cast<uint32_t>(tokens.size()));
    for (const EncodedToken& token : tokens) {
      Write(token.id);
      Write(token.begin);
      Write(token.end);
    }
  }
  return std::cout.flush() ? 0 : Fail("cannot write");
}

}  // namespace
}  // namespace hydrophone

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  return hydrophone::Main(argc, argv);
}
