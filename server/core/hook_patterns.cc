#include "server/core/hook_patterns.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/core/hook_spellings.h"
#include "server/core/name_patterns.h"

namespace hydrophone {
namespace {

// Whether one of the point's names matches at the layer, which may be counted from the end too.
bool MatchesAt(const NamePattern& pattern, const std::vector<std::string>& names, int layer, int count) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto spelled = [&](int number) {
      return pattern.Matches(absl::StrReplaceAll(name, {{".L", absl::StrCat(".", number)}}));
    };
    return spelled(layer) || spelled(layer - count);
  });
}

HookName MatchPoint(const NamePattern& pattern, const HookPointInfo& info, const ModelInfo& model) {
  std::vector<std::string> names = ListedNames(info);
  for (std::string& name : names) name = Dotted(name);
  HookName matched{nullptr, HookName::Layer::kAbsent, {}};
  if (info.layers == LayerKind::kNone) {
    const bool any = std::any_of(names.begin(), names.end(), [&](const auto& name) { return pattern.Matches(name); });
    if (any) matched.info = &info;
    return matched;
  }
  const int count = LayerCount(info, model);
  for (int layer = 0; layer < count; ++layer) {
    if (MatchesAt(pattern, names, layer, count)) matched.layers.push_back(layer);
  }
  if (matched.layers.empty()) return matched;
  return {&info, HookName::Layer::kGiven, std::move(matched.layers)};
}

}  // namespace

std::vector<HookName> MatchHookNames(absl::string_view text, const ModelInfo& model) {
  const NamePattern pattern(text);
  std::vector<HookName> matched;
  for (const HookPointInfo& info : HookPoints()) {
    HookName name = MatchPoint(pattern, info, model);
    if (name.info == nullptr) continue;
    const bool again = info.flat && std::any_of(matched.begin(), matched.end(), [&](const HookName& other) {
                         return other.info->SamePlace(info) && other.layers == name.layers;
                       });
    if (!again) matched.push_back(std::move(name));
  }
  return matched;
}

}  // namespace hydrophone
