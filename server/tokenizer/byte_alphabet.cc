#include "server/tokenizer/byte_alphabet.h"

#include <array>

#include "server/base/utf8.h"

namespace hydrophone {
namespace {

constexpr int kBytes = 256;
constexpr int kShifted = 68;  // bytes that have no printable character of their own

struct Alphabet {
  std::array<std::string, kBytes> printable;   // by byte
  std::array<int, kBytes + kShifted> byte_of;  // by code point, -1 for none
};

constexpr bool StandsForItself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

Alphabet MakeAlphabet() {
  Alphabet alphabet;
  alphabet.byte_of.fill(-1);
  int next_shifted = kBytes;
  for (int byte = 0; byte < kBytes; ++byte) {
    const int code_point = StandsForItself(byte) ? byte : next_shifted++;
    alphabet.byte_of[static_cast<size_t>(code_point)] = byte;
    AppendUtf8(static_cast<char32_t>(code_point), &alphabet.printable[static_cast<size_t>(byte)]);
  }
  return alphabet;
}

const Alphabet& TheAlphabet() {
  // Never destroyed, because threads that run while the program ends may still hold views of it.
  static const Alphabet* const alphabet = new Alphabet(MakeAlphabet());
  return *alphabet;
}

}  // namespace

absl::string_view PrintableByte(uint8_t byte) { return TheAlphabet().printable[byte]; }

std::string PieceBytes(absl::string_view piece) {
  const Alphabet& alphabet = TheAlphabet();
  std::string bytes;
  for (absl::string_view rest = piece; !rest.empty();) {
    const CodePoint next = ReadUtf8(rest);
    rest.remove_prefix(next.size);
    const int byte = next.value < alphabet.byte_of.size() ? alphabet.byte_of[next.value] : -1;
    if (byte < 0) return std::string(piece);
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

}  // namespace hydrophone
