// Keys that edits of attention scores knock out: a query that is left with none has no softmax.
#ifndef HYDROPHONE_SERVER_PLAN_EDITS_KNOCK_OUTS_H_
#define HYDROPHONE_SERVER_PLAN_EDITS_KNOCK_OUTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "server/core/model_info.h"
#include "server/plan/edits/edit_target.h"
#include "server/plan/edits/edit_values.h"

namespace hydrophone {

// The knocked-out keys of one run.
class KnockOuts {
 public:
  explicit KnockOuts(const ModelInfo& model) : model_(model) {}

  // Takes in an edit of scores that sets (`replaces`) or adds these values. Returns what it leaves without a key,
  // "query 3 of head 1 at layer 0"; empty when every query keeps one.
  std::string Add(const EditTarget& target, const EditValues& values, bool replaces);

 private:
  using Row = std::tuple<int, int64_t, int64_t>;  // layer, head, query

  // Whether the row keeps a key. `value(i)`: what the edit's i'th key gets.
  template <typename Value>
  bool AddRow(const Row& row, const std::vector<int32_t>& keys, bool replaces, Value value);

  const ModelInfo& model_;
  std::map<Row, std::vector<bool>> knocked_out_;  // by key; rows of which no key ever was are missing
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_EDITS_KNOCK_OUTS_H_
