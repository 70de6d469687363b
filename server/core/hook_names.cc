// Reading a hook point's name.
//
// clang-format off
//   name  = part { "." part }             a layer may also stand in brackets: "hidden_states[3]" is "hidden_states.3"
//   layer = [ "-" ] digits | "*" | "L"    the first such part; "L", as ListHookPoints writes it, is as good as none
// clang-format on
//
// With its layer replaced by "L", a name is looked up among all spellings. The spellings of a point are the names in
// its row of the catalogue; its Hugging Face names also without "transformer." and with ".output" appended; and each of
// these without the part up to the layer.
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/core/hook_points.h"
#include "server/core/nearest_names.h"

namespace hydrophone {
namespace {

// Longer ones are not looked at: no name of ours is half as long.
constexpr size_t kMaxNameLength = 128;

struct Spelling {
  Site site = Site::kEmbed;
  HookName::Layer layer_kind = HookName::Layer::kAbsent;
  int layer = -1;
};

// Names outside the blocks whose value is that of a point at one certain layer.
struct ImpliedLayer {
  const char* name;
  Site site;
  int layer;
};
constexpr ImpliedLayer kImpliedLayers[] = {
    {"transformer.drop", Site::kHiddenState, 0},
    {"transformer.ln_f.input", Site::kResidPost, -1},
    {"ln_final.hook_in", Site::kResidPost, -1},
};

// "hidden_states[3]" as "hidden_states.3". A name whose brackets make no sense stays as it is, and is then found
// nowhere.
std::string Dotted(absl::string_view name) {
  const size_t open = name.find('[');
  const size_t close = name.find(']');
  if (open == absl::string_view::npos || close == absl::string_view::npos || close < open) return std::string(name);
  const absl::string_view rest = name.substr(close + 1);
  if (!rest.empty() && rest[0] != '.') return std::string(name);
  return absl::StrCat(name.substr(0, open), ".", name.substr(open + 1, close - open - 1), rest);
}

// Every spelling that a name may have, with "L" where the layer stands, in the catalogue's order.
class Spellings {
 public:
  Spellings() {
    for (const HookPointInfo& info : HookPoints()) AddPoint(info);
    for (const ImpliedLayer& implied : kImpliedLayers) {
      AddVariants(implied.name, {implied.site, HookName::Layer::kGiven, implied.layer});
    }
  }

  const Spelling* Find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &found->second;
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  void AddPoint(const HookPointInfo& info) {
    AddVariants(info.name, {info.site});
    AddVariants(info.hugging_face, {info.site});
    for (const char* alias : info.aliases) AddVariants(alias, {info.site});
  }

  void AddVariants(absl::string_view name, const Spelling& spelling) {
    const std::string dotted = Dotted(name);
    AddWithAndWithoutLayer(dotted, spelling);
    const bool module = absl::StartsWith(dotted, "transformer.") || absl::StartsWith(dotted, "lm_head");
    if (!module) return;
    const std::string bare(absl::StripPrefix(dotted, "transformer."));
    AddWithAndWithoutLayer(bare, spelling);
    if (absl::EndsWith(dotted, ".input")) return;
    AddWithAndWithoutLayer(absl::StrCat(dotted, ".output"), spelling);
    AddWithAndWithoutLayer(absl::StrCat(bare, ".output"), spelling);
  }

  void AddWithAndWithoutLayer(const std::string& name, const Spelling& spelling) {
    Add(name, spelling);
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(name, absl::MaxSplits(".L", 1));
    if (parts.first.size() == name.size()) return;
    const absl::string_view rest = absl::StripPrefix(parts.second, ".");
    if (rest.empty()) {
      Add(std::string(parts.first), spelling);  // "hidden_states", "transformer.h"
    } else if (rest != "input" && rest != "output") {
      Add(std::string(rest), spelling);  // "hook_attn_out", "attn.c_proj"
    }
  }

  void Add(const std::string& name, const Spelling& spelling) {
    if (!name.empty() && by_name_.emplace(name, spelling).second) names_.push_back(name);
  }

  absl::flat_hash_map<std::string, Spelling> by_name_;
  std::vector<std::string> names_;
};

const Spellings& AllSpellings() {
  static const auto& spellings = *new Spellings();
  return spellings;
}

// A name taken apart: "blocks.10.hook_z" is the template "blocks.L.hook_z" and the layer "10".
struct TakenApart {
  std::string spelling;
  std::string layer;  // as it was written; "" when there is none
};

bool IsLayer(absl::string_view part) {
  if (part == "*") return true;
  const absl::string_view digits = absl::StripPrefix(part, "-");
  return !digits.empty() && digits.size() <= 9 && digits.find_first_not_of("0123456789") == absl::string_view::npos;
}

TakenApart TakeApart(absl::string_view name) {
  const std::string dotted = Dotted(name);
  std::vector<absl::string_view> parts = absl::StrSplit(dotted, '.');
  TakenApart taken;
  const auto layer = std::find_if(parts.begin(), parts.end(), IsLayer);
  if (layer != parts.end()) taken.layer = std::string(std::exchange(*layer, "L"));
  taken.spelling = absl::StrJoin(parts, ".");
  return taken;
}

absl::Status UnknownName(absl::string_view name, const TakenApart& taken) {
  std::string message = absl::StrCat("no hook point is called \"", absl::Utf8SafeCHexEscape(name), "\"");
  std::vector<std::string> nearest = NearestNames(taken.spelling, AllSpellings().names(), 3);
  if (nearest.empty()) return absl::NotFoundError(absl::StrCat(message, "; ListHookPoints lists them all"));
  for (std::string& near : nearest) {
    if (!taken.layer.empty()) near = absl::StrReplaceAll(near, {{".L", absl::StrCat(".", taken.layer)}});
  }
  return absl::NotFoundError(absl::StrCat(message, "; the nearest names are ", absl::StrJoin(nearest, ", ")));
}

HookName WithLayer(const Spelling& spelling, const std::string& layer) {
  HookName name{&HookPointOf(spelling.site), spelling.layer_kind, spelling.layer};
  if (layer == "*") {
    name.layer_kind = HookName::Layer::kAll;
  } else if (absl::SimpleAtoi(layer, &name.layer)) {
    name.layer_kind = HookName::Layer::kGiven;
  } else {
    name.layer = spelling.layer;
  }
  return name;
}

}  // namespace

absl::StatusOr<HookName> ParseHookName(absl::string_view name) {
  if (name.empty()) return absl::NotFoundError("the name is empty; ListHookPoints lists all hook points");
  if (name.size() > kMaxNameLength) {
    return absl::NotFoundError(absl::StrCat("no hook point has a name of ", name.size(), " bytes"));
  }
  const TakenApart taken = TakeApart(name);
  const Spelling* spelling = AllSpellings().Find(taken.spelling);
  if (spelling == nullptr) return UnknownName(name, taken);
  return WithLayer(*spelling, taken.layer);
}

}  // namespace hydrophone
