#include "client/cpp/cli/utf8.h"

#include <algorithm>
#include <cstdint>

namespace hydrophone::client {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Bytes that a character has by its first byte; 0 for a byte that begins none.
size_t LengthFrom(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// The second byte's range, which rules out overlong forms, surrogates and what lies above U+10FFFF.
bool SecondByteFits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second <= 0x9F;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second <= 0x8F;
    default:
      return true;
  }
}

}  // namespace

bool IsValidUtf8(absl::string_view bytes) {
  while (!bytes.empty()) {
    const auto lead = static_cast<unsigned char>(bytes[0]);
    const size_t length = LengthFrom(lead);
    if (length == 0 || length > bytes.size()) return false;
    const absl::string_view rest = bytes.substr(1, length - 1);
    if (!std::all_of(rest.begin(), rest.end(), IsContinuation)) return false;
    if (length > 1 && !SecondByteFits(lead, static_cast<unsigned char>(rest[0]))) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

size_t CountCharacters(absl::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return !IsContinuation(c); }));
}

}  // namespace hydrophone::client
