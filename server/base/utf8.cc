#include "server/base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace hydrophone {
namespace {

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

// What the first byte tells of its sequence.
struct Lead {
  size_t size = 0;  // of the whole sequence in bytes; 0 when no sequence begins with this byte
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

// The sequence, or the maximal invalid part, at the start of `bytes`. REQUIRES: `bytes` is not empty.
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

CodePoint ReadUtf8(absl::string_view text) {
  const Part part = NextPart(text);
  if (!part.valid) return {};
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (part.size == 1) return {byte(0), 1, true};
  char32_t value =
      byte(0) & (0x7Fu >> part.size);  // the first byte's own bits come after as many ones as there are bytes
  for (size_t i = 1; i < part.size; ++i) value = (value << 6) | (byte(i) & 0x3Fu);
  return {value, part.size, true};
}

void AppendUtf8(char32_t code_point, std::string* text) {
  const auto append = [text](char32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    append(code_point);
    return;
  }
  if (code_point < 0x800) {
    append(0xC0 | (code_point >> 6));
  } else {
    if (code_point < 0x10000) {
      append(0xE0 | (code_point >> 12));
    } else {
      append(0xF0 | (code_point >> 18));
      append(0x80 | ((code_point >> 12) & 0x3F));
    }
    append(0x80 | ((code_point >> 6) & 0x3F));
  }
  append(0x80 | (code_point & 0x3F));
}

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

size_t CountCharacters(absl::string_view utf8) {
  return static_cast<size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

}  // namespace hydrophone
