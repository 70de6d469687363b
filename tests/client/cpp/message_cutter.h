// Messages as a transport delivers them: cut into pieces anywhere.
#ifndef HYDROPHONE_TESTS_CLIENT_CPP_MESSAGE_CUTTER_H_
#define HYDROPHONE_TESTS_CLIENT_CPP_MESSAGE_CUTTER_H_

#include <cstddef>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cpp/chunk_message.h"

namespace hydrophone::client {

// Owns the pieces, each in memory of its own, so that a sanitizer sees a read past one.
class CutMessage {
 public:
  // Pieces of 0 to `longest` bytes.
  CutMessage(absl::string_view bytes, size_t longest, std::mt19937* random) {
    std::uniform_int_distribution<size_t> length(0, longest);
    while (!bytes.empty()) {
      const absl::string_view piece = bytes.substr(0, length(*random));
      pieces_.emplace_back(piece.begin(), piece.end());
      bytes.remove_prefix(piece.size());
    }
    for (const std::vector<char>& piece : pieces_) views_.emplace_back(piece.data(), piece.size());
  }
  CutMessage(const CutMessage&) = delete;
  CutMessage& operator=(const CutMessage&) = delete;

  MessagePieces pieces() const { return views_; }

 private:
  std::deque<std::vector<char>> pieces_;
  std::vector<absl::string_view> views_;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_TESTS_CLIENT_CPP_MESSAGE_CUTTER_H_
