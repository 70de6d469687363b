#include "tests/fakes/byte_tokenizer.h"

#include "absl/strings/match.h"

namespace hydrophone {
namespace {

constexpr absl::string_view kSpecial = "<|endoftext|>";

}  // namespace

ByteTokenizer::ByteTokenizer() {
  for (int byte = 0; byte < 256; ++byte) {
    bytes_.push_back(std::string(1, static_cast<char>(byte)));
    if (byte > ' ' && byte < 0x7F) {
      pieces_.push_back(std::string(1, static_cast<char>(byte)));
    } else {
      int point = 0x100 + byte;
      pieces_.push_back({static_cast<char>(0xC0 | (point >> 6)), static_cast<char>(0x80 | (point & 0x3F))});
    }
  }
  pieces_.emplace_back(kSpecial);
  bytes_.emplace_back(kSpecial);
}

std::vector<EncodedToken> ByteTokenizer::Encode(absl::string_view bytes, SpecialTokens specials) const {
  std::vector<EncodedToken> tokens;
  for (uint32_t at = 0; at < bytes.size();) {
    bool special = specials == SpecialTokens::kAsTokens && absl::StartsWith(bytes.substr(at), kSpecial);
    uint32_t size = special ? static_cast<uint32_t>(kSpecial.size()) : 1;
    tokens.push_back({special ? kBos : static_cast<uint8_t>(bytes[at]), at, at + size});
    at += size;
  }
  return tokens;
}

absl::StatusOr<std::string> ByteTokenizer::Decode(absl::Span<const uint32_t> ids) const {
  std::string bytes;
  for (uint32_t id : ids) {
    if (id > kBos) return absl::InvalidArgumentError("no such id");
    if (id == kBos) {
      bytes.append(kSpecial.data(), kSpecial.size());
    } else {
      bytes += static_cast<char>(id);
    }
  }
  return bytes;
}

}  // namespace hydrophone
