// The positions that a selection takes of an input.
#ifndef HYDROPHONE_CLIENT_CPP_BULK_CHOSEN_POSITIONS_H_
#define HYDROPHONE_CLIENT_CPP_BULK_CHOSEN_POSITIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hydrophone/v1/input.pb.h"

namespace hydrophone::client {

// Of an input with `tokens` tokens, what `positions` (input.proto) selects, in its order; all without `at` and `slice`.
// `positions` is one that the server took: without `per_input`, in range, and with a slice that can be read.
std::vector<int64_t> ChosenPositions(const v1::Positions& positions, size_t tokens);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_BULK_CHOSEN_POSITIONS_H_
