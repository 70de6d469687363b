// On whose behalf a call is made.
#ifndef HYDROPHONE_SERVER_CORE_CALLER_H_
#define HYDROPHONE_SERVER_CORE_CALLER_H_

#include <cstdint>
#include <string>

namespace hydrophone {

// Callers take turns: each gets a share of the server's work in proportion to its weight.
struct Caller {
  std::string name;     // the peer's address, as gRPC writes it; may hold anything, so logs escape it
  uint32_t weight = 1;  // at least 1
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_CALLER_H_
