#include "server/plan/select/selection.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

bool IsMade(uint32_t number, const RunTable& runs) {
  return number < runs.lengths.size() && runs.lengths[number] != kNoRun;
}

bool HasKind(const Selector& selector, Readout::Kind kind) {
  return selector.readout != nullptr && selector.readout->kind == kind;
}

// Whether the selector compares a run with its baseline. Of the readouts only a divergence does: other scores are about
// one run.
bool Compares(const Selector& selector) {
  return !selector.has_scores() || HasKind(selector, Readout::Kind::kDivergence);
}

class RunSelector {
 public:
  RunSelector(const Selector& selector, const RunTable& runs, Violations* violations)
      : selector_(selector), runs_(runs), violations_(violations), numbers_(selector.runs) {
    if (!numbers_.empty()) return;
    numbers_.resize(runs.lengths.size());
    std::iota(numbers_.begin(), numbers_.end(), 0u);
  }

  std::vector<SelectedRun> Select() {
    const size_t before = violations_->total();
    const std::vector<SelectedRows> rows = Rows(Lengths());
    if (violations_->total() > before) return {};
    const std::vector<SelectedRows> baseline_rows = Rows(BaselineLengths());
    if (violations_->total() > before) return {};

    std::vector<SelectedRun> selected;
    for (size_t i = 0; i < numbers_.size(); ++i) {
      if (!IsMade(numbers_[i], runs_)) continue;
      selected.push_back({runs_.made_index[numbers_[i]], rows[i], Baseline(numbers_[i]), baseline_rows[i]});
      Check(i, selected.back());
    }
    return selected;
  }

 private:
  std::vector<int64_t> Lengths() const {
    std::vector<int64_t> lengths;
    for (uint32_t number : numbers_) lengths.push_back(IsMade(number, runs_) ? runs_.lengths[number] : kNoRun);
    return lengths;
  }

  // The length of each run's baseline; kNoRun where there is none.
  std::vector<int64_t> BaselineLengths() const {
    std::vector<int64_t> lengths;
    for (uint32_t number : numbers_) {
      const std::optional<uint32_t> baseline = Baseline(number);
      lengths.push_back(baseline ? LengthOfMade(*baseline) : kNoRun);
    }
    return lengths;
  }

  std::vector<SelectedRows> Rows(const std::vector<int64_t>& lengths) const {
    return SelectRows(selector_.positions, absl::StrCat(selector_.path, ".positions"), lengths, violations_);
  }

  int64_t LengthOfMade(uint32_t run) const { return runs_.lengths[runs_.numbers[run]]; }

  std::optional<uint32_t> Baseline(uint32_t number) const {
    if (!Compares(selector_) || !IsMade(number, runs_) || runs_.baseline.empty()) return std::nullopt;
    return runs_.baseline[runs_.made_index[number]];
  }

  void Check(size_t i, const SelectedRun& selected) {
    const std::string run = absl::StrCat("run ", numbers_[i]);
    if (selector_.reduction != Reduction::kNone && selected.rows.count() == 0) {
      violations_->Add(absl::StrCat(selector_.path, ".reduction"),
                       absl::StrCat("got no positions of ", run, ", expected at least one to reduce"));
    }
    if (HasKind(selector_, Readout::Kind::kDivergence) && !selected.baseline.has_value()) {
      violations_->Add(selector_.runs.empty() ? absl::StrCat(selector_.path, ".runs")
                                              : absl::StrCat(selector_.path, ".runs[", i, "]"),
                       absl::StrCat("got ", run, ", which names no baseline, expected runs that do"));
    }
    if (HasKind(selector_, Readout::Kind::kNextTokenLoss)) CheckNextTokens(run, selected);
    if (selected.baseline.has_value() && selected.rows.count() != selected.baseline_rows.count()) {
      violations_->Add(
          selector_.positions == nullptr ? selector_.path : absl::StrCat(selector_.path, ".positions"),
          absl::StrCat("got ", selected.rows.count(), " positions of ", run, " and ", selected.baseline_rows.count(),
                       " of its baseline, run ", runs_.numbers[*selected.baseline], ", expected as many"));
    }
  }

  void CheckNextTokens(const std::string& run, const SelectedRun& selected) {
    const int64_t length = LengthOfMade(selected.run);
    if (length == 1) {
      return violations_->Add(absl::StrCat(selector_.path, ".next_token_loss"),
                              absl::StrCat("got ", run, " of one token, expected at least two"));
    }
    for (int64_t row = 0; row < selected.rows.count(); ++row) {
      if (selected.rows[row] != length - 1) continue;
      return violations_->Add(
          absl::StrCat(selector_.path, ".positions"),
          absl::StrCat("got position ", length - 1, " of ", run, ", its last, expected positions with a next token"));
    }
  }

  const Selector& selector_;
  const RunTable& runs_;
  Violations* violations_;
  std::vector<uint32_t> numbers_;  // of the runs, as the request numbers them
};

}  // namespace

std::vector<SelectedRun> SelectRuns(const Selector& selector, const RunTable& runs, Violations* violations) {
  return RunSelector(selector, runs, violations).Select();
}

size_t MadeRuns(const Selector& selector, const RunTable& runs) {
  if (selector.runs.empty()) return runs.made.size();
  return static_cast<size_t>(
      std::count_if(selector.runs.begin(), selector.runs.end(), [&](uint32_t number) { return IsMade(number, runs); }));
}

}  // namespace hydrophone
