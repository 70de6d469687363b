#include "server/tokenizer/json_values.h"

#include "absl/strings/str_cat.h"
#include "server/base/messages.h"

namespace hydrophone {

using Json = nlohmann::json;

absl::Status RefusedValue(absl::string_view member, const Json& got, absl::string_view expected) {
  const std::string shown = Printable(got.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace));
  return absl::InvalidArgumentError(absl::StrCat(member, " is ", shown, ", expected ", expected));
}

const Json& Member(const Json& object, const char* name) {
  static const Json kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

absl::StatusOr<bool> Flag(const Json& object, const char* name) {
  const Json& value = Member(object, name);
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  return RefusedValue(name, value, "true or false");
}

}  // namespace hydrophone
