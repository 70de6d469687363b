// Well-formed sequences (The Unicode Standard, table 3-7); every further byte is 80..BF:
//
//   00..7F
//   C2..DF  80..BF
//   E0      A0..BF  80..BF
//   E1..EC  80..BF  80..BF
//   ED      80..9F  80..BF
//   EE..EF  80..BF  80..BF
//   F0      90..BF  80..BF  80..BF
//   F1..F3  80..BF  80..BF  80..BF
//   F4      80..8F  80..BF  80..BF
#include "server/wire/utf8.h"

#include <cstddef>
#include <cstdint>

namespace hydrophone {
namespace {

// What the first byte says about the rest.
struct Lead {
  size_t size = 0;  // of the whole sequence; 0: no sequence begins so
  uint8_t second_low = 0x80;
  uint8_t second_high = 0xBF;
};

Lead LeadOf(uint8_t byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2 || byte > 0xF4) return {};
  if (byte < 0xE0) return {2};
  if (byte < 0xF0) {
    return {3, static_cast<uint8_t>(byte == 0xE0 ? 0xA0 : 0x80), static_cast<uint8_t>(byte == 0xED ? 0x9F : 0xBF)};
  }
  return {4, static_cast<uint8_t>(byte == 0xF0 ? 0x90 : 0x80), static_cast<uint8_t>(byte == 0xF4 ? 0x8F : 0xBF)};
}

// The sequence, or the maximal invalid part, at the start of `bytes`, which are not empty.
struct Part {
  size_t size = 1;
  bool valid = false;
};

Part NextPart(absl::string_view bytes) {
  Lead lead = LeadOf(static_cast<uint8_t>(bytes[0]));
  if (lead.size == 0) return {};
  for (size_t i = 1; i < lead.size; ++i) {
    uint8_t low = i == 1 ? lead.second_low : 0x80;
    uint8_t high = i == 1 ? lead.second_high : 0xBF;
    if (i == bytes.size() || static_cast<uint8_t>(bytes[i]) < low || static_cast<uint8_t>(bytes[i]) > high) {
      return {i, false};
    }
  }
  return {lead.size, true};
}

}  // namespace

bool IsUtf8(absl::string_view bytes) {
  while (!bytes.empty()) {
    Part part = NextPart(bytes);
    if (!part.valid) return false;
    bytes.remove_prefix(part.size);
  }
  return true;
}

std::string ToUtf8(absl::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    Part part = NextPart(bytes);
    if (part.valid) {
      text.append(bytes.data(), part.size);
    } else {
      text += "\xEF\xBF\xBD";
    }
    bytes.remove_prefix(part.size);
  }
  return text;
}

}  // namespace hydrophone
