#include "server/plan/edits/edit_conflicts.h"

#include <algorithm>
#include <cstddef>

namespace hydrophone {
namespace {

constexpr size_t kWordBits = 64;

bool Overlap(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if ((a[i] & b[i]) != 0) return true;
  }
  return false;
}

bool OverlapOrAll(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  return a.empty() || b.empty() || Overlap(a, b);
}

}  // namespace

template <typename Index>
EditConflicts::Bits EditConflicts::BitsOf(const std::vector<Index>& indices) {
  Bits bits;
  for (Index index : indices) {
    const auto bit = static_cast<size_t>(index);
    bits.resize(std::max(bits.size(), bit / kWordBits + 1));
    bits[bit / kWordBits] |= uint64_t{1} << (bit % kWordBits);
  }
  return bits;
}

// Two edits meet when they overlap in every dimension. The units of a flat point and of its site's other one are not
// compared: such edits meet if their positions do.
bool EditConflicts::Meet(const Outright& a, const Outright& b) {
  return a.info->SamePlace(*b.info) && Overlap(a.layers, b.layers) && Overlap(a.positions, b.positions) &&
         (a.info != b.info || (OverlapOrAll(a.heads, b.heads) && OverlapOrAll(a.features, b.features)));
}

std::string EditConflicts::Add(const EditTarget& target) {
  std::vector<int> layers = target.layers;
  for (int& layer : layers) ++layer;  // a bit's index cannot be -1, the layer outside the blocks
  Outright edit{target.path,
                target.info,
                BitsOf(layers),
                BitsOf(target.positions),
                BitsOf(target.units.heads),
                BitsOf(target.units.features)};
  const auto met =
      std::find_if(edits_.begin(), edits_.end(), [&](const Outright& earlier) { return Meet(earlier, edit); });
  if (met != edits_.end()) return met->path;
  edits_.push_back(std::move(edit));
  return "";
}

}  // namespace hydrophone
