// How large a Values message can become, known before there are values: the message is sent whole.
#ifndef HYDROPHONE_SERVER_PLAN_CAPTURES_VALUES_SIZE_H_
#define HYDROPHONE_SERVER_PLAN_CAPTURES_VALUES_SIZE_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/core/plan.h"
#include "server/core/tokenizer.h"

namespace hydrophone {

// The most bytes that scores can take.
class ScoresSize {
 public:
  // `tokenizer` outlives this.
  explicit ScoresSize(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // The most bytes that the message takes with the scores of `rows` rows of one run. `metric`: the scores' key.
  uint64_t Bytes(const Readout& readout, uint64_t rows, absl::string_view metric);

 private:
  uint64_t TokensBytes(const Readout& readout);
  // The bytes of the `count` longest pieces together: no token comes twice among a row's highest.
  uint64_t LongestPieces(uint32_t count);

  const Tokenizer& tokenizer_;
  std::vector<uint64_t> longest_;  // [n]: bytes of the n longest pieces; empty until needed
};

// The most bytes that the message takes with a summary of `elements` values from `runs` runs.
uint64_t SummaryBytes(const v1::SummaryOptions& options, uint64_t elements, uint64_t runs);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_CAPTURES_VALUES_SIZE_H_
