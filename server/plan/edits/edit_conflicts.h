// Finds edits of a run that contradict each other.
#ifndef HYDROPHONE_SERVER_PLAN_EDITS_EDIT_CONFLICTS_H_
#define HYDROPHONE_SERVER_PLAN_EDITS_EDIT_CONFLICTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "server/plan/edits/edit_target.h"

namespace hydrophone {

// Takes the edits of one run that set elements outright (zero, set, patch). Each is compared with all before it.
class EditConflicts {
 public:
  // The path of the first earlier edit that sets one of this one's elements; "" when there is none.
  std::string Add(const EditTarget& target);

 private:
  using Bits = std::vector<uint64_t>;  // one bit an index; without bits, heads and features stand for all

  struct Outright {
    std::string path;
    const HookPointInfo* info = nullptr;
    Bits layers;  // bit 0 is layer -1
    Bits positions;
    Bits heads;
    Bits features;
  };

  template <typename Index>
  static Bits BitsOf(const std::vector<Index>& indices);
  static bool Meet(const Outright& a, const Outright& b);

  std::vector<Outright> edits_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_EDITS_EDIT_CONFLICTS_H_
