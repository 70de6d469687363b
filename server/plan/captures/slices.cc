#include "server/plan/captures/slices.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "server/plan/inputs/sizes.h"

namespace hydrophone {
namespace {

// Counts the rows that a batch computes for a list of runs: one for each beginning that no earlier run has.
class SharedRows {
 public:
  // How many rows the run adds.
  int64_t Add(const PlannedRun& run) {
    int64_t added = 0;
    size_t beginning = 0;
    for (const uint32_t id : run.token_ids) {
      beginning = absl::HashOf(beginning, id);
      if (beginnings_.insert(beginning).second) ++added;
    }
    return added;
  }

 private:
  absl::flat_hash_set<size_t> beginnings_;  // hashes; two that collide make a slice a row longer, nothing else
};

struct SliceSize {
  int64_t rows = 0;
  int64_t tokens = 0;
  uint64_t bytes = 0;

  bool Exceeds(const Limits& limits) const {
    return rows > limits.slice_tokens || tokens > limits.max_batch_tokens || bytes > limits.slice_bytes;
  }
};

// Adds runs [first, end) to the size.
SliceSize Grown(SliceSize size, absl::Span<const PlannedRun> runs, absl::Span<const uint64_t> bytes,
                SharedRows* shared) {
  for (size_t i = 0; i < runs.size(); ++i) {
    size.rows += shared->Add(runs[i]);
    size.tokens += static_cast<int64_t>(runs[i].token_ids.size());
    size.bytes = AddSizes(size.bytes, bytes[i]);
  }
  return size;
}

}  // namespace

void RunLinks::Join(uint32_t a, uint32_t b) {
  uint32_t& reach = reach_[std::min(a, b)];
  reach = std::max({reach, a, b});
}

void RunLinks::JoinAll(absl::Span<const uint32_t> runs) {
  if (runs.empty()) return;
  const auto [least, most] = std::minmax_element(runs.begin(), runs.end());
  Join(*least, *most);
}

std::vector<bool> RunLinks::Cuts() const {
  std::vector<bool> cuts(reach_.size());
  uint32_t reached = 0;
  for (size_t run = 0; run < reach_.size(); ++run) {
    cuts[run] = run == 0 || reached < run;
    reached = std::max(reached, reach_[run]);
  }
  return cuts;
}

std::vector<PlanSlice> CutIntoSlices(absl::Span<const PlannedRun> runs, absl::Span<const uint64_t> bytes,
                                     const RunLinks& links, const Limits& limits) {
  const std::vector<bool> cuts = links.Cuts();
  std::vector<PlanSlice> slices;
  SliceSize size;
  SharedRows shared;
  for (size_t first = 0; first < runs.size();) {
    size_t end = first + 1;  // of the joined runs that begin here
    while (end < runs.size() && !cuts[end]) ++end;
    const auto joined = runs.subspan(first, end - first);
    const auto joined_bytes = bytes.subspan(first, end - first);
    SliceSize grown = Grown(size, joined, joined_bytes, &shared);
    if (slices.empty() || grown.Exceeds(limits)) {
      slices.push_back({.first_run = static_cast<uint32_t>(first)});
      shared = SharedRows();
      grown = Grown(SliceSize(), joined, joined_bytes, &shared);
    }
    size = grown;
    slices.back().end_run = static_cast<uint32_t>(end);
    slices.back().rows = size.rows;
    slices.back().capture_bytes = size.bytes;
    first = end;
  }
  return slices;
}

}  // namespace hydrophone
