// Runs several callers at once, each in a closed loop.
#ifndef HYDROPHONE_TESTS_BENCH_CLIENT_LOAD_H_
#define HYDROPHONE_TESTS_BENCH_CLIENT_LOAD_H_

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/client/callers.h"
#include "tests/bench/client/requests.h"

namespace hydrophone::bench {

struct Load {
  absl::Time start;
  absl::Time end;
  std::vector<Sample> samples;  // by the number of the call
};

// Makes the command's calls. After a failure no further call begins; the first failure is returned when the calls under
// way have ended.
absl::StatusOr<Load> RunLoad(const Command& command, Caller& caller);

}  // namespace hydrophone::bench

#endif  // HYDROPHONE_TESTS_BENCH_CLIENT_LOAD_H_
