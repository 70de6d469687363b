// How a layer says what is wrong, so that the edge can tell the caller: absl::Status with a reason, the violations of a
// bad request, and when to try again. rpc turns these into google.rpc.Status details, in one place.
#ifndef HYDROPHONE_SERVER_CORE_ERRORS_H_
#define HYDROPHONE_SERVER_CORE_ERRORS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace hydrophone {

// What is wrong with one field of a request: "inputs[2].token_ids[7]": "got 60000, expected an id below 50257".
struct Violation {
  std::string field;
  std::string description;
};

// Gathers a request's violations, so that one answer can name several. Keeps the first kKept and counts the rest.
class Violations {
 public:
  static constexpr size_t kKept = 16;

  void Add(std::string field, std::string description);
  bool empty() const { return total_ == 0; }
  size_t total() const { return total_; }
  const std::vector<Violation>& kept() const { return kept_; }

  // OK when there are none; otherwise INVALID_ARGUMENT, reason "BAD_REQUEST", with the violations attached.
  absl::Status ToStatus() const;

 private:
  std::vector<Violation> kept_;
  size_t total_ = 0;
};

// FAILED_PRECONDITION, reason "PRECONDITION".
absl::Status PreconditionFailed(absl::string_view field, absl::string_view got, absl::string_view expected);
// The same of a field that needs a tokenizer where the model's directory has none. `instead`: what would be answered;
// empty for nothing.
absl::Status NeedsTokenizer(absl::string_view field, absl::string_view got, absl::string_view instead);
// INVALID_ARGUMENT, reason "TOO_LARGE": the request can never fit. `needed` and `limit` are counted in `unit`.
absl::Status TooLarge(absl::string_view field, uint64_t needed, uint64_t limit, absl::string_view unit);
// RESOURCE_EXHAUSTED, reason "OVERLOADED": the same request may fit after `retry_after`.
absl::Status Overloaded(absl::string_view message, absl::Duration retry_after);
// RESOURCE_EXHAUSTED, reason "STALLED": the caller does not read, and others wait for the memory.
absl::Status Stalled();
// RESOURCE_EXHAUSTED, reason "OUT_OF_MEMORY": the same request may find memory after a second. Copies of one status
// that the first call makes, so that later calls need no memory.
absl::Status OutOfMemory();
// RESOURCE_EXHAUSTED, reason "CALLER_LIMIT": a limit of the caller's own; the same request may fit after `retry_after`.
absl::Status CallerLimit(absl::string_view message, absl::Duration retry_after);
// UNAUTHENTICATED, for a call that says not or not well on whose behalf it is made: reason "NO_TOKEN", "BAD_TOKEN" or
// "UNKNOWN_TOKEN".
absl::Status Unauthenticated(absl::string_view reason, absl::string_view message);
// PERMISSION_DENIED, reason "ROLE": the caller is known, and may not do that.
absl::Status RoleMissing(absl::string_view message);
// UNAVAILABLE, reason "DRAINING".
absl::Status Draining(absl::Duration retry_after);

// Every reason with which a call is refused, as the functions above and the edge give them: what refusals are counted
// by. A call that is given up or that fails here has others.
absl::Span<const absl::string_view> RefusalReasons();

// What the functions above attached to a status; "", none, 0 and nullopt for other statuses.
std::string ReasonOf(const absl::Status& status);
std::vector<Violation> ViolationsOf(const absl::Status& status);
size_t ViolationTotalOf(const absl::Status& status);
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_ERRORS_H_
