// JSON from files that may be hostile.
#ifndef HYDROPHONE_SERVER_BASE_BOUNDED_JSON_H_
#define HYDROPHONE_SERVER_BASE_BOUNDED_JSON_H_

#include <cstddef>
#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

struct JsonLimits {
  size_t max_depth = 16;                // objects and arrays within each other
  size_t max_values = size_t{1} << 20;  // values of all kinds, at all depths
};

// The document that `text` is. INVALID_ARGUMENT, with the byte where it was found, when it is not JSON (RFC 8259,
// UTF-8), when an object has a key twice, or when it exceeds the limits: found before memory is spent on the document.
// Throws nothing.
absl::StatusOr<nlohmann::json> ParseBoundedJson(absl::string_view text, const JsonLimits& limits = {});

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_BOUNDED_JSON_H_
