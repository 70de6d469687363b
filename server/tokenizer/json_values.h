// Reading settings from the JSON files of a tokenizer, with errors that name the member.
#ifndef HYDROPHONE_SERVER_TOKENIZER_JSON_VALUES_H_
#define HYDROPHONE_SERVER_TOKENIZER_JSON_VALUES_H_

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// INVALID_ARGUMENT: "`member` is `got`, expected `expected`", with as much of `got` as fits into a message.
absl::Status RefusedValue(absl::string_view member, const nlohmann::json& got, absl::string_view expected);

// A member of an object; null when the object lacks it or is none.
const nlohmann::json& Member(const nlohmann::json& object, const char* name);

// A member that is true or false; false when it is null or absent.
absl::StatusOr<bool> Flag(const nlohmann::json& object, const char* name);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_TOKENIZER_JSON_VALUES_H_
