// SHA-256 of files and buffers, for the digests that identify weights and tokenizers.
#ifndef HYDROPHONE_SERVER_BASE_SHA256_H_
#define HYDROPHONE_SERVER_BASE_SHA256_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace hydrophone {

// Digests bytes that come in pieces. Not thread-safe; one object per digest.
//
//   Sha256 sha;
//   sha.Update(header);
//   sha.Update(body);
//   std::string hex = sha.HexDigest();
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  // Appends `bytes` (any length, also none) to what is digested. The bytes are not kept.
  void Update(absl::string_view bytes);

  // The digest of everything appended so far as 64 lower-case hexadecimal digits. More may be appended
  // afterwards; the next call covers all that was ever appended.
  std::string HexDigest() const;

 private:
  struct State;  // keeps OpenSSL out of this header
  std::unique_ptr<State> state_;
};

// The digest of one buffer.
std::string Sha256Hex(absl::string_view bytes);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_SHA256_H_
