// Every spelling that a hook point's name may have.
#ifndef HYDROPHONE_SERVER_CORE_HOOK_SPELLINGS_H_
#define HYDROPHONE_SERVER_CORE_HOOK_SPELLINGS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/core/hook_points.h"

namespace hydrophone {

// In a spelling, "L" stands for the layer, and parts are divided by dots: "hidden_states[3]" is "hidden_states.3". The
// spellings of a point are
//
// - the names in its row of the catalogue,
// - its Hugging Face names without "transformer.", and with ".output" appended,
// - each of these without the part up to the layer ("attn.c_proj", "attn.hook_z"),
// - and, where no other point has it, the last part alone, with "hook_" or without, which the full name may lack as
// well
//   ("c_fc", "hook_z", "z", "blocks.L.attn.z").
//
// Thread-safe.
class HookSpellings {
 public:
  // The only one.
  static const HookSpellings& All();

  // The point that is spelled so, or null.
  const HookPointInfo* Find(absl::string_view spelling) const;

  // The canonical names of the points of which a short spelling cannot tell which is meant; mostly none.
  std::vector<std::string> CandidatesFor(absl::string_view spelling) const;

  // All spellings of one point each, in the catalogue's order, short ones last.
  const std::vector<std::string>& names() const { return names_; }

 private:
  HookSpellings();
  void AddPoint(const HookPointInfo& info);
  void AddVariants(absl::string_view name, const HookPointInfo& info);
  void AddWithAndWithoutLayer(absl::string_view name, const HookPointInfo& info);
  void Add(absl::string_view name, const HookPointInfo& info);

  absl::flat_hash_map<std::string, const HookPointInfo*> by_name_;
  absl::flat_hash_map<std::string, std::vector<const HookPointInfo*>> by_short_name_;
  std::vector<std::string> names_;
};

// The names in a point's row: canonical, Hugging Face's, aliases.
std::vector<std::string> ListedNames(const HookPointInfo& info);

// A name with dots for its brackets. A name whose brackets make no sense stays as it is, and is then found nowhere.
std::string Dotted(absl::string_view name);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_HOOK_SPELLINGS_H_
