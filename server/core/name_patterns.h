// Patterns of names: "*" stands for any characters, "{a,b}" for either of these.
#ifndef HYDROPHONE_SERVER_CORE_NAME_PATTERNS_H_
#define HYDROPHONE_SERVER_CORE_NAME_PATTERNS_H_

#include "absl/strings/string_view.h"
#include "re2/re2.h"

namespace hydrophone {

class NamePattern {
 public:
  // Braces do not nest; one that is not closed stands for itself.
  explicit NamePattern(absl::string_view pattern);

  // Whether the whole name matches.
  bool Matches(absl::string_view name) const;

 private:
  const RE2 regex_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_NAME_PATTERNS_H_
