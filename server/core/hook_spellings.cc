#include "server/core/hook_spellings.h"

#include <cstddef>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hydrophone {
namespace {

constexpr absl::string_view kInBlock = "blocks.L.";

bool IsModule(absl::string_view name) {
  return absl::StartsWith(name, "transformer.") || absl::StartsWith(name, "lm_head");
}

absl::string_view LastPart(absl::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == absl::string_view::npos ? name : name.substr(dot + 1);
}

// What a point may be called if no other point is: see the class.
std::set<std::string> ShortNames(const HookPointInfo& info) {
  std::set<std::string> names;
  for (const std::string& name : ListedNames(info)) {
    const absl::string_view last = LastPart(name);
    if (last == "input" || absl::StrContains(last, 'L')) continue;
    const absl::string_view bare = absl::StripPrefix(last, "hook_");
    const std::string full = absl::StrCat(absl::StripSuffix(name, last), bare);
    names.insert({std::string(last), std::string(bare), full});
    if (!absl::StartsWith(name, kInBlock)) continue;
    names.insert({absl::StrCat(kInBlock, last), absl::StrCat(kInBlock, bare)});
    names.emplace(absl::StripPrefix(full, kInBlock));
  }
  return names;
}

}  // namespace

std::string Dotted(absl::string_view name) {
  std::string dotted;
  for (size_t at = 0; at < name.size(); ++at) {
    if (name[at] != '[') {
      dotted += name[at];
      continue;
    }
    const size_t close = name.find(']', at);
    if (close == absl::string_view::npos) return std::string(name);
    const bool ends = close + 1 == name.size() || name[close + 1] == '.' || name[close + 1] == '[';
    if (!ends) return std::string(name);
    absl::StrAppend(&dotted, ".", name.substr(at + 1, close - at - 1));
    at = close;
  }
  return dotted;
}

std::vector<std::string> ListedNames(const HookPointInfo& info) {
  std::vector<std::string> names = {info.name};
  if (info.hugging_face[0] != '\0' && absl::string_view(info.hugging_face) != info.name) {
    names.emplace_back(info.hugging_face);
  }
  names.insert(names.end(), info.aliases.begin(), info.aliases.end());
  return names;
}

const HookSpellings& HookSpellings::All() {
  static const auto& all = *new HookSpellings();
  return all;
}

HookSpellings::HookSpellings() {
  for (const HookPointInfo& info : HookPoints()) {
    AddPoint(info);
    for (const std::string& name : ShortNames(info)) by_short_name_[name].push_back(&info);
  }
  // Of a block, and of the model.
  by_short_name_["output"] = {&HookPointOf(Site::kResidPost), &HookPointOf(Site::kLogits)};
  for (const HookPointInfo& info : HookPoints()) {
    for (const std::string& name : ShortNames(info)) {
      if (by_short_name_[name].size() == 1) Add(name, info);
    }
  }
}

void HookSpellings::AddPoint(const HookPointInfo& info) {
  for (const std::string& name : ListedNames(info)) AddVariants(name, info);
}

void HookSpellings::AddVariants(absl::string_view name, const HookPointInfo& info) {
  const std::string dotted = Dotted(name);
  AddWithAndWithoutLayer(dotted, info);
  if (!IsModule(dotted)) return;
  const absl::string_view bare = absl::StripPrefix(dotted, "transformer.");
  AddWithAndWithoutLayer(bare, info);
  if (absl::EndsWith(dotted, ".input")) return;
  AddWithAndWithoutLayer(absl::StrCat(dotted, ".output"), info);
  AddWithAndWithoutLayer(absl::StrCat(bare, ".output"), info);
}

void HookSpellings::AddWithAndWithoutLayer(absl::string_view name, const HookPointInfo& info) {
  Add(name, info);
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(name, absl::MaxSplits(".L", 1));
  if (parts.first.size() == name.size()) return;
  const absl::string_view rest = absl::StripPrefix(parts.second, ".");
  if (rest.empty()) {
    Add(parts.first, info);  // "hidden_states", "transformer.h"
  } else if (rest != "input" && rest != "output") {
    Add(rest, info);  // "hook_attn_out", "attn.c_proj"
  }
}

void HookSpellings::Add(absl::string_view name, const HookPointInfo& info) {
  if (!name.empty() && by_name_.emplace(name, &info).second) names_.emplace_back(name);
}

const HookPointInfo* HookSpellings::Find(absl::string_view spelling) const {
  const auto found = by_name_.find(spelling);
  return found == by_name_.end() ? nullptr : found->second;
}

std::vector<std::string> HookSpellings::CandidatesFor(absl::string_view spelling) const {
  std::vector<std::string> names;
  const auto found = by_short_name_.find(spelling);
  if (found == by_short_name_.end()) return names;
  for (const HookPointInfo* info : found->second) names.emplace_back(info->name);
  return names;
}

}  // namespace hydrophone
