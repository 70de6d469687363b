#include "server/model/batch/batch_rows.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace hydrophone {
namespace {

bool MayShare(const Plan& plan) {
  return plan.edits.empty() &&
         std::none_of(plan.runs.begin(), plan.runs.end(),
                      [](const PlannedRun& run) { return run.train_seed.has_value(); }) &&
         std::none_of(plan.captures.begin(), plan.captures.end(),
                      [](const Capture& capture) { return HookPointOf(capture.point).by_run(); });
}

int64_t CommonLength(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  const auto size = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return std::mismatch(a.begin(), a.begin() + size, b.begin()).first - a.begin();
}

// The runs whose rows later runs may share.
class Sharing {
 public:
  struct Beginning {
    size_t sequence = 0;
    int64_t length = 0;
  };

  // The longest beginning that a run has in common with a run that was added before.
  Beginning Longest(const std::vector<uint32_t>& token_ids) const {
    Beginning longest;
    auto consider = [&](const auto& run) {
      const int64_t length = CommonLength(*run.first, token_ids);
      if (length > longest.length) longest = {run.second, length};
    };
    // In sorted order, the run with that beginning is a neighbour.
    const auto next = runs_.lower_bound(&token_ids);
    if (next != runs_.end()) consider(*next);
    if (next != runs_.begin()) consider(*std::prev(next));
    return longest;
  }
  void Add(const std::vector<uint32_t>& token_ids, size_t sequence) { runs_.emplace(&token_ids, sequence); }

 private:
  struct ByTokens {
    bool operator()(const std::vector<uint32_t>* a, const std::vector<uint32_t>* b) const { return *a < *b; }
  };
  std::map<const std::vector<uint32_t>*, size_t, ByTokens>
      runs_;  // the sequence of each; of equal runs, that of the first
};

}  // namespace

BatchRows::BatchRows(absl::Span<const BatchMember> batch, bool share)
    : batch_(batch), share_(share), members_(batch.size(), true) {
  AssignRows();
}

std::optional<std::vector<int64_t>> BatchRows::Keep(const std::vector<bool>& members) {
  if (members == members_) return std::nullopt;
  const BatchRows before = *this;
  members_ = members;
  AssignRows();
  std::vector<int64_t> old_rows(static_cast<size_t>(rows()));
  for (size_t sequence = 0; sequence < sequences(); ++sequence) {
    const SequenceRows now = Of(sequence), then = before.Of(sequence);
    for (size_t i = 0; i < now.rows.size(); ++i) old_rows[static_cast<size_t>(now.rows[i])] = then.rows[i];
  }
  return old_rows;
}

void BatchRows::AssignRows() {
  for (std::vector<int64_t>* list : {&positions_, &row_of_, &first_, &own_from_, &first_token_}) list->clear();
  token_ids_.clear();
  first_sequence_.clear();
  first_.push_back(0);
  Sharing sharing;
  for (size_t member = 0; member < batch_.size(); ++member) {
    const Plan& plan = *batch_[member].plan;
    first_sequence_.push_back(sequences());
    first_token_.push_back(first_.back());
    const bool shares = share_ && MayShare(plan);
    for (const PlannedRun& run : plan.runs) {
      const size_t sequence = sequences();
      first_.push_back(first_.back() + (members_[member] ? static_cast<int64_t>(run.token_ids.size()) : 0));
      own_from_.push_back(0);
      if (!members_[member]) continue;
      const Sharing::Beginning shared = shares ? sharing.Longest(run.token_ids) : Sharing::Beginning{};
      AddRows(run.token_ids, shared.sequence, shared.length);
      if (shares) sharing.Add(run.token_ids, sequence);
    }
  }
}

std::vector<SequenceRows> BatchRows::All() const {
  std::vector<SequenceRows> all;
  for (size_t sequence = 0; sequence < sequences(); ++sequence) all.push_back(Of(sequence));
  return all;
}

void BatchRows::AddRows(const std::vector<uint32_t>& token_ids, size_t of, int64_t shared) {
  for (int64_t position = 0; position < shared; ++position) {
    row_of_.push_back(row_of_[static_cast<size_t>(first_[of] + position)]);
  }
  own_from_.back() = shared;
  for (size_t position = static_cast<size_t>(shared); position < token_ids.size(); ++position) {
    row_of_.push_back(rows());
    token_ids_.push_back(token_ids[position]);
    positions_.push_back(static_cast<int64_t>(position));
  }
}

}  // namespace hydrophone
