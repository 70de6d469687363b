// A tensor as one short string, for people.
#ifndef HYDROPHONE_SERVER_ANSWER_PREVIEW_H_
#define HYDROPHONE_SERVER_ANSWER_PREVIEW_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace hydrophone {

// `values`, of `shape` in C order, as NumPy prints an array with precision=4 and threshold=0: the
// first and last three rows and columns (two, with three dimensions; one, with more), in columns of
// one width:
//
//   [[ 0.1234 -0.5000  0.2500 ...  0.0312  0.7500 -1.0000]
//    ...
//    [ 1.0000  0.0000  0.1250 ... -0.2500  0.0625  0.5000]]
//
// With exponents when the largest magnitude shown is 1e8 or more, or below 0.001.
std::string PreviewOf(absl::Span<const float> values, absl::Span<const int64_t> shape);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_PREVIEW_H_
