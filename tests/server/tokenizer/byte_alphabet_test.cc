#include "server/tokenizer/byte_alphabet.h"

#include <gtest/gtest.h>

#include <set>

namespace hydrophone {
namespace {

TEST(ByteAlphabet, PrintableBytesStandForThemselves) {
  EXPECT_EQ(PrintableByte('A'), "A");
  EXPECT_EQ(PrintableByte('!'), "!");
  EXPECT_EQ(PrintableByte('~'), "~");
  EXPECT_EQ(PrintableByte(0xA1), "¡");
  EXPECT_EQ(PrintableByte(0xFF), "ÿ");
}

TEST(ByteAlphabet, OtherBytesAreShiftedInTheirOrder) {
  EXPECT_EQ(PrintableByte(0x00), "Ā");
  EXPECT_EQ(PrintableByte('\n'), "Ċ");
  EXPECT_EQ(PrintableByte(' '), "Ġ");
  EXPECT_EQ(PrintableByte(0x7F), "ġ");
  EXPECT_EQ(PrintableByte(0xA0), "ł");
  EXPECT_EQ(PrintableByte(0xAD), "Ń");
}

TEST(ByteAlphabet, EveryByteHasItsOwnCharacterAndComesBack) {
  std::set<absl::string_view> seen;
  for (int byte = 0; byte < 256; ++byte) {
    const absl::string_view printable = PrintableByte(static_cast<uint8_t>(byte));
    EXPECT_TRUE(seen.insert(printable).second) << byte;
    EXPECT_EQ(PieceBytes(printable), std::string(1, static_cast<char>(byte)));
  }
}

TEST(ByteAlphabet, APieceStandsForTheBytesOfItsCharacters) {
  EXPECT_EQ(PieceBytes("Ġworld"), " world");
  EXPECT_EQ(PieceBytes("ðŁĺ"), "\xF0\x9F\x98");
  EXPECT_EQ(PieceBytes(""), "");
}

TEST(ByteAlphabet, APieceWithAForeignCharacterStandsForItself) {
  EXPECT_EQ(PieceBytes("Ġa b"), "Ġa b");
  EXPECT_EQ(PieceBytes("ńŅ"), "ńŅ");
  EXPECT_EQ(PieceBytes("日本"), "日本");
}

}  // namespace
}  // namespace hydrophone
