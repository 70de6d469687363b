// "Did you mean": the names nearest to a misspelt one.
#ifndef HYDROPHONE_SERVER_BASE_NEAREST_NAMES_H_
#define HYDROPHONE_SERVER_BASE_NEAREST_NAMES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydrophone {

// How many characters must be inserted, deleted or replaced to make `b` of `a`.
size_t EditDistance(absl::string_view a, absl::string_view b);

// At most `limit` of `candidates`, the nearest first, equally near ones in their order. Names of which more than a
// third would have to change are left out; one that holds the whole of `name` (of 3 characters or more) counts as one
// change away.
std::vector<std::string> NearestNames(absl::string_view name, absl::Span<const std::string> candidates, size_t limit);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_NEAREST_NAMES_H_
