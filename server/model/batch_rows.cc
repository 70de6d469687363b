#include "server/model/batch_rows.h"

#include <algorithm>

namespace hydrophone {
namespace {

// A run of the batch while rows are given out.
struct Sequence {
  size_t number = 0;
  const std::vector<uint32_t>* token_ids = nullptr;
};

bool MayShare(const Plan& plan) {
  return plan.edits.empty() && !plan.train_seed.has_value() &&
         std::none_of(plan.captures.begin(), plan.captures.end(),
                      [](const Capture& capture) { return IsSquare(capture.point.site); });
}

int64_t CommonLength(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  const auto size = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return std::mismatch(a.begin(), a.begin() + size, b.begin()).first - a.begin();
}

}  // namespace

BatchRows::BatchRows(absl::Span<const BatchMember> batch, bool share) : batch_(batch), share_(share), members_(batch.size(), true) {
  GiveOut();
}

std::optional<std::vector<int64_t>> BatchRows::Keep(const std::vector<bool>& members) {
  if (members == members_) return std::nullopt;
  const BatchRows before = *this;
  members_ = members;
  GiveOut();
  std::vector<int64_t> old_rows(static_cast<size_t>(rows()));
  for (size_t sequence = 0; sequence < sequences(); ++sequence) {
    const SequenceRows now = Of(sequence), then = before.Of(sequence);
    for (size_t i = 0; i < now.rows.size(); ++i) old_rows[static_cast<size_t>(now.rows[i])] = then.rows[i];
  }
  return old_rows;
}

void BatchRows::GiveOut() {
  for (std::vector<int64_t>* list : {&positions_, &row_of_, &first_, &own_from_, &first_token_}) list->clear();
  token_ids_.clear();
  first_sequence_.clear();
  std::vector<Sequence> sharing, others;
  first_.push_back(0);
  for (size_t member = 0; member < batch_.size(); ++member) {
    const Plan& plan = *batch_[member].plan;
    first_sequence_.push_back(first_.size() - 1);
    first_token_.push_back(first_.back());
    std::vector<Sequence>& kind = share_ && MayShare(plan) ? sharing : others;
    for (const PlannedRun& run : plan.runs) {
      if (members_[member]) kind.push_back({first_.size() - 1, &run.token_ids});
      first_.push_back(first_.back() + (members_[member] ? static_cast<int64_t>(run.token_ids.size()) : 0));
    }
  }
  row_of_.resize(static_cast<size_t>(first_.back()));
  own_from_.assign(sequences(), 0);
  for (const Sequence& sequence : others) AddOwnRows(sequence.number, 0, *sequence.token_ids);

  // Sorted, the longest common beginning of a run with any before it is that with its neighbour.
  std::stable_sort(sharing.begin(), sharing.end(),
                   [](const Sequence& a, const Sequence& b) { return *a.token_ids < *b.token_ids; });
  for (size_t i = 0; i < sharing.size(); ++i) {
    int64_t common = 0;
    if (i > 0) {
      common = CommonLength(*sharing[i - 1].token_ids, *sharing[i].token_ids);
      const int64_t* from = row_of_.data() + first_[sharing[i - 1].number];
      std::copy(from, from + common, row_of_.data() + first_[sharing[i].number]);
    }
    AddOwnRows(sharing[i].number, common, *sharing[i].token_ids);
  }
}

std::vector<SequenceRows> BatchRows::All() const {
  std::vector<SequenceRows> all;
  for (size_t sequence = 0; sequence < sequences(); ++sequence) all.push_back(Of(sequence));
  return all;
}

void BatchRows::AddOwnRows(size_t sequence, int64_t from, const std::vector<uint32_t>& token_ids) {
  own_from_[sequence] = from;
  for (size_t position = static_cast<size_t>(from); position < token_ids.size(); ++position) {
    row_of_[static_cast<size_t>(first_[sequence]) + position] = rows();
    token_ids_.push_back(token_ids[position]);
    positions_.push_back(static_cast<int64_t>(position));
  }
}

}  // namespace hydrophone
