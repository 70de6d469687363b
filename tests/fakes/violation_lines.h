// Violations as lines of text, to compare.
#ifndef HYDROPHONE_TESTS_FAKES_VIOLATION_LINES_H_
#define HYDROPHONE_TESTS_FAKES_VIOLATION_LINES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/core/errors.h"

namespace hydrophone {

// The kept violations, each as "field: description".
std::vector<std::string> Lines(const Violations& violations);
std::vector<std::string> Lines(const absl::Status& status);

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_VIOLATION_LINES_H_
