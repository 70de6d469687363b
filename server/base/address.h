// Where a program listens or connects, read once and strictly.
#ifndef HYDROPHONE_SERVER_BASE_ADDRESS_H_
#define HYDROPHONE_SERVER_BASE_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

struct Address {
  std::string host;       // "127.0.0.1", "lab", "::1" (without its brackets); empty for a socket in the file system
  uint16_t port = 0;      // 0: any that is free
  std::string unix_path;  // of a socket in the file system; empty otherwise

  bool is_unix() const { return !unix_path.empty(); }
  // Whether it can only be this machine's, which no proxy is on the way to.
  bool is_loopback() const;
  // As ParseAddress takes it and gRPC does: "127.0.0.1:50051", "[::1]:50051", "unix:/run/hydrophone.sock".
  std::string text() const;
};

// "HOST:PORT", "[IPv6]:PORT" or "unix:PATH". INVALID_ARGUMENT, saying what was got and expected, for anything else: a
// URL, an address without a port, a port above 65535.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_ADDRESS_H_
