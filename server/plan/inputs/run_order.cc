#include "server/plan/inputs/run_order.h"

#include <functional>
#include <queue>

namespace hydrophone {
namespace {

// Finds a cycle among the runs that could not be ordered: starts at one of them and follows each run's first unmet read
// until a run comes again.
std::vector<size_t> FindCycle(absl::Span<const RunRead> reads, const std::vector<size_t>& unmet) {
  std::vector<size_t> read_of(unmet.size(), reads.size());
  for (size_t i = reads.size(); i-- > 0;) {
    if (unmet[reads[i].source] > 0) read_of[reads[i].reader] = i;
  }
  size_t run = 0;
  while (unmet[run] == 0) ++run;
  std::vector<size_t> walked;
  std::vector<size_t> step(unmet.size(), reads.size());  // the place in `walked` at which a run was met
  while (step[run] == reads.size()) {
    step[run] = walked.size();
    walked.push_back(read_of[run]);
    run = reads[read_of[run]].source;
  }
  walked.erase(walked.begin(), walked.begin() + static_cast<std::ptrdiff_t>(step[run]));
  return walked;
}

}  // namespace

RunOrder OrderRuns(size_t runs, absl::Span<const RunRead> reads) {
  std::vector<size_t> unmet(runs);  // reads of each run whose source is not in the order yet
  std::vector<std::vector<uint32_t>> readers(runs);
  for (const RunRead& read : reads) {
    ++unmet[read.reader];
    readers[read.source].push_back(read.reader);
  }
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> ready;
  for (uint32_t run = 0; run < runs; ++run) {
    if (unmet[run] == 0) ready.push(run);
  }
  RunOrder order;
  while (!ready.empty()) {
    const uint32_t run = ready.top();
    ready.pop();
    order.runs.push_back(run);
    for (uint32_t reader : readers[run]) {
      if (--unmet[reader] == 0) ready.push(reader);
    }
  }
  if (order.runs.size() < runs) return {{}, FindCycle(reads, unmet)};
  return order;
}

}  // namespace hydrophone
