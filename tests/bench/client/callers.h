// One call to a server, timed: through the C++ client, or as bare messages.
#ifndef HYDROPHONE_TESTS_BENCH_CLIENT_CALLERS_H_
#define HYDROPHONE_TESTS_BENCH_CLIENT_CALLERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/bench/client/requests.h"

namespace hydrophone::bench {

// The times and sizes of one call.
struct Sample {
  absl::Time start;
  absl::Time first;            // kClient: the first whole tensor; kBytes: the first chunk; kPeer: the first message
  absl::Time end;              // when the answer is whole
  uint64_t bytes = 0;          // kClient: of the captures; otherwise of the messages
  double queue_seconds = 0;    // kClient: as the trailer says; otherwise 0
  double compute_seconds = 0;  // kClient: as the trailer says; otherwise 0
  uint32_t batch_tokens = 0;   // kClient: as the trailer says; otherwise 0
};

// Makes calls to one server. Thread-safe.
class Caller {
 public:
  virtual ~Caller() = default;
  // Makes the command's request number `index`, and fills in the sample. After an error, the times that the call did
  // not reach are not set.
  virtual absl::Status Call(const Command& command, size_t index, Sample* sample) = 0;
};

std::unique_ptr<Caller> MakeClientCaller(const std::string& address);
std::unique_ptr<Caller> MakeBytesCaller(const std::string& address);

}  // namespace hydrophone::bench

#endif  // HYDROPHONE_TESTS_BENCH_CLIENT_CALLERS_H_
