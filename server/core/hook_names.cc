// Reading a hook point's name.
//
// clang-format off
//   name   = part { "." part }                    a part may also stand in brackets: "h[3]" is "h.3"
//   layer  = number | "{" number { "," number } "}" | "*" | "L"
//   number = [ "-" ] digits
// clang-format on
//
// The first part that is a layer is the name's layer; "L", as ListHookPoints writes it, is as good as none. With it
// replaced by "L", the name is looked up among all spellings. "output[0]", as a module's hook sees a tuple, is
// "output".
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/base/nearest_names.h"
#include "server/core/hook_patterns.h"
#include "server/core/hook_points.h"
#include "server/core/hook_spellings.h"

namespace hydrophone {
namespace {

// Longer ones are not looked at: no name of ours is half as long.
constexpr size_t kMaxNameLength = 128;

// A name taken apart: "blocks.10.hook_z" is the spelling "blocks.L.hook_z" and the layer "10".
struct TakenApart {
  std::string spelling;
  std::string layer;  // as it was written; "" when there is none
};

bool IsNumber(absl::string_view part) {
  const absl::string_view digits = absl::StripPrefix(part, "-");
  return !digits.empty() && digits.size() <= 9 && digits.find_first_not_of("0123456789") == absl::string_view::npos;
}

// The numbers of "3" or "{0,-1}"; none for anything else.
std::vector<int> NumbersOf(absl::string_view part) {
  absl::string_view listed = part;
  if (absl::ConsumePrefix(&listed, "{") && !absl::ConsumeSuffix(&listed, "}")) return {};
  std::vector<int> numbers;
  for (const absl::string_view one : absl::StrSplit(listed, ',')) {
    int number = 0;
    if (!IsNumber(one) || !absl::SimpleAtoi(one, &number)) return {};
    numbers.push_back(number);
  }
  if (numbers.size() > 1 && listed.size() == part.size()) return {};  // "0,11" without its braces
  return numbers;
}

bool IsLayer(absl::string_view part) { return part == "*" || !NumbersOf(part).empty(); }

TakenApart TakeApart(absl::string_view name) {
  std::string dotted = Dotted(name);
  if (absl::EndsWith(dotted, "output.0")) dotted.resize(dotted.size() - 2);
  std::vector<absl::string_view> parts = absl::StrSplit(dotted, '.');
  TakenApart taken;
  const auto layer = std::find_if(parts.begin(), parts.end(), IsLayer);
  if (layer != parts.end()) taken.layer = std::string(std::exchange(*layer, "L"));
  taken.spelling = absl::StrJoin(parts, ".");
  return taken;
}

absl::Status UnknownName(absl::string_view name, const TakenApart& taken) {
  const std::string quoted = absl::StrCat("\"", absl::Utf8SafeCHexEscape(name), "\"");
  const auto with_layer = [&taken](std::vector<std::string> names) {
    for (std::string& one : names) {
      if (!taken.layer.empty()) one = absl::StrReplaceAll(one, {{".L", absl::StrCat(".", taken.layer)}});
    }
    return absl::StrJoin(names, ", ");
  };
  if (const std::vector<std::string> candidates = HookSpellings::All().CandidatesFor(taken.spelling);
      !candidates.empty()) {
    return absl::NotFoundError(absl::StrCat(quoted, " may mean any of ", with_layer(candidates)));
  }
  const std::string message = absl::StrCat("no hook point is called ", quoted);
  std::vector<std::string> nearest = NearestNames(taken.spelling, HookSpellings::All().names(), 3);
  if (nearest.empty()) return absl::NotFoundError(absl::StrCat(message, "; ListHookPoints lists them all"));
  return absl::NotFoundError(absl::StrCat(message, "; the nearest names are ", with_layer(std::move(nearest))));
}

absl::Status CheckLength(absl::string_view name) {
  if (name.empty()) return absl::NotFoundError("the name is empty; ListHookPoints lists all hook points");
  if (name.size() <= kMaxNameLength) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("no hook point has a name of ", name.size(), " bytes"));
}

}  // namespace

absl::StatusOr<HookName> ParseHookName(absl::string_view name) {
  if (absl::Status checked = CheckLength(name); !checked.ok()) return checked;
  const TakenApart taken = TakeApart(name);
  const HookPointInfo* info = HookSpellings::All().Find(taken.spelling);
  if (info == nullptr) return UnknownName(name, taken);
  HookName read{info, HookName::Layer::kAbsent, NumbersOf(taken.layer)};
  if (taken.layer == "*") read.layer_kind = HookName::Layer::kAll;
  if (!read.layers.empty()) read.layer_kind = HookName::Layer::kGiven;
  return read;
}

absl::StatusOr<std::vector<HookName>> ParseHookNames(absl::string_view name, const ModelInfo& model) {
  absl::StatusOr<HookName> one = ParseHookName(name);
  if (one.ok()) return std::vector<HookName>{*std::move(one)};
  if (name.size() > kMaxNameLength || name.find_first_of("*{") == absl::string_view::npos) return one.status();
  std::vector<HookName> matched = MatchHookNames(Dotted(name), model);
  if (!matched.empty()) return matched;
  return absl::NotFoundError(absl::StrCat("no hook point's name matches \"", absl::Utf8SafeCHexEscape(name),
                                          "\"; ListHookPoints lists them all"));
}

}  // namespace hydrophone
