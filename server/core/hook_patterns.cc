#include "server/core/hook_patterns.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "re2/re2.h"
#include "server/core/hook_spellings.h"

namespace hydrophone {
namespace {

// The pattern as a regular expression. Braces do not nest; one that is not closed stands for itself.
std::string RegexOf(absl::string_view pattern) {
  std::string regex;
  bool inside = false;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '*') {
      regex += ".*";
    } else if (c == '{' && !inside && pattern.find('}', at) != absl::string_view::npos) {
      inside = true;
      regex += "(?:";
    } else if (c == '}' && inside) {
      inside = false;
      regex += ')';
    } else if (c == ',' && inside) {
      regex += '|';
    } else {
      regex += RE2::QuoteMeta(std::string(1, c));
    }
  }
  return regex;
}

bool Matches(const RE2& regex, absl::string_view name) {
  return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), regex);
}

// Whether one of the point's names matches at the layer, which may be counted from the end too.
bool MatchesAt(const RE2& regex, const std::vector<std::string>& names, int layer, int count) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto spelled = [&](int number) {
      return Matches(regex, absl::StrReplaceAll(name, {{".L", absl::StrCat(".", number)}}));
    };
    return spelled(layer) || spelled(layer - count);
  });
}

HookName MatchPoint(const RE2& regex, const HookPointInfo& info, const ModelInfo& model) {
  std::vector<std::string> names = ListedNames(info);
  for (std::string& name : names) name = Dotted(name);
  HookName matched{nullptr, HookName::Layer::kAbsent, {}};
  if (info.layers == LayerKind::kNone) {
    const bool any = std::any_of(names.begin(), names.end(), [&](const auto& name) { return Matches(regex, name); });
    if (any) matched.info = &info;
    return matched;
  }
  const int count = LayerCount(info, model);
  for (int layer = 0; layer < count; ++layer) {
    if (MatchesAt(regex, names, layer, count)) matched.layers.push_back(layer);
  }
  if (matched.layers.empty()) return matched;
  return {&info, HookName::Layer::kGiven, std::move(matched.layers)};
}

}  // namespace

std::vector<HookName> MatchHookNames(absl::string_view pattern, const ModelInfo& model) {
  RE2::Options options(RE2::Quiet);
  options.set_encoding(RE2::Options::EncodingLatin1);
  const RE2 regex(RegexOf(pattern), options);
  std::vector<HookName> matched;
  if (!regex.ok()) return matched;
  for (const HookPointInfo& info : HookPoints()) {
    HookName name = MatchPoint(regex, info, model);
    if (name.info == nullptr) continue;
    const bool again = info.flat && std::any_of(matched.begin(), matched.end(), [&](const HookName& other) {
                         return other.info->SamePlace(info) && other.layers == name.layers;
                       });
    if (!again) matched.push_back(std::move(name));
  }
  return matched;
}

}  // namespace hydrophone
