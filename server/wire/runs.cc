#include "server/wire/runs.h"

#include <cstddef>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/wire/inputs.h"
#include "server/wire/positions.h"

namespace hydrophone {
namespace {

// The input of each run.
std::vector<uint32_t> InputsOfRuns(const google::protobuf::RepeatedPtrField<v1::Run>& runs,
                                   size_t inputs, Violations* violations) {
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
    return TooLarge(runs.empty() ? "inputs" : "runs", tokens, limits.max_tokens_per_request,
                    "tokens");
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
  return table;
}

}  // namespace hydrophone
