// What a fuzz target demands beside "no sanitizer complains".
#ifndef HYDROPHONE_TESTS_FUZZ_REQUIRE_H_
#define HYDROPHONE_TESTS_FUZZ_REQUIRE_H_

#include <cstdlib>
#include <iostream>

#include "absl/status/status.h"
#include "server/base/utf8.h"

namespace hydrophone {

// Ends the process, which the fuzzer reports together with the input, unless `holds`.
inline void Require(bool holds, absl::string_view what) {
  if (holds) return;
  std::cerr << "not so: " << what << "\n";
  std::abort();
}

// A refusal must be one that gRPC and a log can carry: some text, in UTF-8, of bounded length, and no INTERNAL.
inline void RequireGoodRefusal(const absl::Status& refusal) {
  constexpr size_t kMostBytes = 64 << 10;
  Require(!refusal.ok() && !refusal.message().empty(), "a refusal says why");
  Require(IsUtf8(refusal.message()), "a refusal is UTF-8");
  Require(refusal.message().size() <= kMostBytes, "a refusal is short");
  Require(!absl::IsInternal(refusal) && !absl::IsUnknown(refusal), "bad input is not INTERNAL");
}

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FUZZ_REQUIRE_H_
