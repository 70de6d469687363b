// Waits of tests, which all end: after 30 s, with a failure that names what was waited for.
#ifndef HYDROPHONE_TESTS_FAKES_WAITING_H_
#define HYDROPHONE_TESTS_FAKES_WAITING_H_

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace hydrophone {

// Where in a test a wait stands. To be taken as a default argument: the macros name the caller's line.
struct Place {
  const char* file;
  int line;
};
#define HYDROPHONE_HERE \
  ::hydrophone::Place { __builtin_FILE(), __builtin_LINE() }

// How long a wait may take. Longer than any busy machine needs, shorter than ctest's patience.
inline std::chrono::milliseconds wait_limit = std::chrono::seconds(30);

// Waits on `changed` until `condition` holds, which is called with `mutex` held. After wait_limit the test fails at
// `place` with `what` ("the signal to be raised twice"), and the wait ends; returns whether the condition holds.
template <typename Condition>
bool AwaitCondition(CondVar& changed, Mutex* mutex, const Condition& condition, const std::string& what, Place place)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const auto limit = std::chrono::system_clock::now() + wait_limit;
  while (!condition()) {
    if (std::chrono::system_clock::now() >= limit) {
      ADD_FAILURE_AT(place.file, place.line)
          << "waited " << static_cast<double>(wait_limit.count()) / 1000 << " s for " << what;
      return false;
    }
    changed.WaitUntil(mutex, limit);
  }
  return true;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_WAITING_H_
