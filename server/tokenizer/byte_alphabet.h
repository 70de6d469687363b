// GPT-2's printable form of bytes, in which vocab.json and merges.txt are written: one character for
// each byte. Printable Latin-1 stands for itself, the other 68 bytes are U+0100 and up in their order,
// so a space is "Ġ".
#ifndef HYDROPHONE_SERVER_TOKENIZER_BYTE_ALPHABET_H_
#define HYDROPHONE_SERVER_TOKENIZER_BYTE_ALPHABET_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone {

// The character of `byte`, as UTF-8.
absl::string_view PrintableByte(uint8_t byte);

// The bytes that `piece` stands for. A piece with a character outside the alphabet stands for its
// own UTF-8, as in Hugging Face's decoder; no text is ever encoded to such a piece.
std::string PieceBytes(absl::string_view piece);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_BYTE_ALPHABET_H_
