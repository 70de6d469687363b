#include "client/cpp/cli/display/token_text.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "server/base/utf8.h"

namespace hydrophone::client {
namespace {

constexpr char32_t kFirstMoved = 0x100;  // the character of the first byte that is not written as itself

bool IsWrittenAsItself(char32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

// The bytes that are moved, in order.
std::string MovedBytes() {
  std::string moved;
  for (char32_t byte = 0; byte < kFirstMoved; ++byte) {
    if (!IsWrittenAsItself(byte)) moved.push_back(static_cast<char>(byte));
  }
  return moved;
}

struct Range {
  char32_t first;
  char32_t last;
};

// Control characters, those without a width, line and paragraph separators, and those that turn the writing around.
bool IsHidden(char32_t c) {
  static constexpr Range kHidden[] = {{0x00, 0x1F},     {0x7F, 0xA0},      {0xAD, 0xAD},     {0x200B, 0x200F},
                                      {0x2028, 0x202E}, {0x2060, 0x206F},  {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},
                                      {0xE000, 0xF8FF}, {0xE0000, 0xE0FFF}};
  return std::any_of(std::begin(kHidden), std::end(kHidden),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

std::string Escaped(char32_t c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto value = static_cast<uint32_t>(c);
  if (value < 0x80) return absl::StrFormat("\\x%02x", value);
  return value > 0xFFFF ? absl::StrFormat("\\U%08x", value) : absl::StrFormat("\\u%04x", value);
}

}  // namespace

std::string BytesOfPiece(absl::string_view piece) {
  static const std::string& moved = *new std::string(MovedBytes());
  std::string bytes;
  while (!piece.empty()) {
    const CodePoint next = ReadUtf8(piece);
    if (next.valid && IsWrittenAsItself(next.value)) {
      bytes.push_back(static_cast<char>(next.value));
    } else if (next.valid && next.value >= kFirstMoved && next.value - kFirstMoved < moved.size()) {
      bytes.push_back(moved[next.value - kFirstMoved]);
    } else {
      absl::StrAppend(&bytes, piece.substr(0, next.size));
    }
    piece.remove_prefix(next.size);
  }
  return bytes;
}

std::string VisibleText(absl::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const CodePoint next = ReadUtf8(bytes);
    if (!next.valid) {
      absl::StrAppendFormat(&text, "\\x%02x", static_cast<unsigned char>(bytes.front()));
    } else if (next.value == '\\') {
      text += "\\\\";
    } else if (IsHidden(next.value)) {
      text += Escaped(next.value);
    } else {
      absl::StrAppend(&text, bytes.substr(0, next.size));
    }
    bytes.remove_prefix(next.size);
  }
  return text;
}

std::string TokenText(absl::string_view piece) {
  if (piece.empty()) return "";
  return absl::StrCat("`", absl::StrReplaceAll(VisibleText(BytesOfPiece(piece)), {{"`", "\\`"}}), "`");
}

}  // namespace hydrophone::client
