#include "server/plan/inputs/runs.h"

#include <cstddef>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/plan/inputs/inputs.h"
#include "server/plan/inputs/positions.h"

namespace hydrophone {
namespace {

// The input of each run.
std::vector<uint32_t> InputsOfRuns(const google::protobuf::RepeatedPtrField<v1::Run>& runs, size_t inputs,
                                   Violations* violations) {
  std::vector<uint32_t> input_of(runs.empty() ? inputs : static_cast<size_t>(runs.size()));
  if (runs.empty()) std::iota(input_of.begin(), input_of.end(), 0u);
  for (int i = 0; i < runs.size(); ++i) {
    CheckKey(runs[i].key(), absl::StrCat("runs[", i, "].key"), violations);
    if (runs[i].input() < inputs) {
      input_of[static_cast<size_t>(i)] = runs[i].input();
    } else {
      violations->Add(absl::StrCat("runs[", i, "].input"),
                      absl::StrCat("got ", runs[i].input(), ", expected an index below ", inputs));
    }
  }
  return input_of;
}

// Why a run cannot be compared with run `baseline`; empty when it can, or when that run's input is refused anyway.
std::string BaselineRefusal(size_t run, uint32_t baseline, const std::vector<uint32_t>& input_of,
                            const std::vector<PlannedInput>& inputs) {
  if (baseline >= input_of.size()) return absl::StrCat("got ", baseline, ", expected an index below ", input_of.size());
  if (baseline == run) return absl::StrCat("got ", baseline, ", the run itself, expected another run");
  if (inputs[input_of[baseline]].skipped.empty()) return "";
  return absl::StrCat("got ", baseline, ", whose input was skipped, expected a run that is made");
}

// Fills in table->baseline. Baselines of runs that are not made are not checked.
void ReadBaselines(const google::protobuf::RepeatedPtrField<v1::Run>& runs, const std::vector<uint32_t>& input_of,
                   const std::vector<PlannedInput>& inputs, RunTable* table, Violations* violations) {
  table->baseline.resize(table->made.size());
  if (runs.empty()) return;
  for (size_t made = 0; made < table->made.size(); ++made) {
    const uint32_t number = table->numbers[made];
    const v1::Run& run = runs[static_cast<int>(number)];
    if (!run.has_baseline()) continue;
    std::string refusal = BaselineRefusal(number, run.baseline(), input_of, inputs);
    if (!refusal.empty()) {
      violations->Add(absl::StrCat("runs[", number, "].baseline"), std::move(refusal));
    } else if (table->lengths[run.baseline()] != kNoRun) {
      table->baseline[made] = table->made_index[run.baseline()];
    }
  }
}

}  // namespace

absl::StatusOr<RunTable> ReadRuns(const google::protobuf::RepeatedPtrField<v1::Run>& runs,
                                  const std::vector<PlannedInput>& inputs, const Limits& limits,
                                  Violations* violations) {
  RunTable table;
  if (inputs.empty()) return table;
  std::vector<uint32_t> input_of = InputsOfRuns(runs, inputs.size(), violations);
  uint64_t tokens = 0;
  for (uint32_t input : input_of) tokens += inputs[input].token_ids.size();
  if (tokens > limits.max_tokens_per_request) {
    return TooLarge(runs.empty() ? "inputs" : "runs", tokens, limits.max_tokens_per_request, "tokens");
  }

  table.first_token.push_back(0);
  for (size_t number = 0; number < input_of.size(); ++number) {
    const std::vector<uint32_t>& token_ids = inputs[input_of[number]].token_ids;
    auto length = static_cast<int64_t>(token_ids.size());
    table.lengths.push_back(token_ids.empty() ? kNoRun : length);
    table.made_index.push_back(token_ids.empty() ? 0 : static_cast<uint32_t>(table.made.size()));
    if (token_ids.empty()) continue;
    table.made.push_back({input_of[number], token_ids});
    table.numbers.push_back(static_cast<uint32_t>(number));
    table.first_token.push_back(table.first_token.back() + length);
  }
  ReadBaselines(runs, input_of, inputs, &table, violations);
  return table;
}

}  // namespace hydrophone
