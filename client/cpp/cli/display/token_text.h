// Tokens for the eye: the text that they stand for.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_TOKEN_TEXT_H_
#define HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_TOKEN_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone::client {

// The bytes of a token that a vocabulary writes as `piece`, one character for each byte: " the" of "Ġthe". GPT-2's
// table (Radford et al. 2019, encoder.py, bytes_to_unicode) keeps the printable characters of Latin-1 and writes the
// others, in their order, as U+0100 and on. Characters that are not in the table stand for their own UTF-8.
std::string BytesOfPiece(absl::string_view piece);

// Bytes as one line that shows everything: control characters, what has no width or turns the writing around as escapes
// ("\n", "\u200b"), bytes that are no UTF-8 as "\xe2", a backslash doubled.
std::string VisibleText(absl::string_view bytes);

// A token as tables show it, in backquotes, so that spaces are seen: "` the`"; "" for a token without a piece.
std::string TokenText(absl::string_view piece);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_TOKEN_TEXT_H_
