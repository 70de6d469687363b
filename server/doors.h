// What decides on calls and connections, made from the flags: tokens and certificates.
#ifndef HYDROPHONE_SERVER_DOORS_H_
#define HYDROPHONE_SERVER_DOORS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "server/access/access.h"
#include "server/access/certificates.h"
#include "server/flags.h"

namespace hydrophone {

// Null `access`: no tokens are asked for. Null `certificates`: plaintext.
struct Doors {
  std::unique_ptr<Access> access;
  std::unique_ptr<Certificates> certificates;
};

// Reads the files that the flags name; they are read again when they change, which is logged. Errors: those of the
// files.
absl::StatusOr<Doors> MakeDoors(const Flags& flags);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_DOORS_H_
