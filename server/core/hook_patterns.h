// Patterns of hook points' names.
#ifndef HYDROPHONE_SERVER_CORE_HOOK_PATTERNS_H_
#define HYDROPHONE_SERVER_CORE_HOOK_PATTERNS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "server/core/hook_points.h"
#include "server/core/model_info.h"

namespace hydrophone {

// As ParseHookNames says of a pattern, which has dots for its brackets here; empty when no name matches.
std::vector<HookName> MatchHookNames(absl::string_view pattern, const ModelInfo& model);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_HOOK_PATTERNS_H_
