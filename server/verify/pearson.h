// Pearson's correlation coefficient in float64.
//
// Computed here a second time, apart from answer/difference, on purpose: Verify checks what the server sent, so it
// takes no arithmetic from the code that fills answers.
#ifndef HYDROPHONE_SERVER_VERIFY_PEARSON_H_
#define HYDROPHONE_SERVER_VERIFY_PEARSON_H_

#include <cstdint>

#include "absl/types/span.h"

namespace hydrophone {

// Pearson's r of two arrays of one size, over the elements whose mask is not 0; an empty mask
// counts all. Two passes: the means first, then the moments about them. NaN when either array is
// constant over these elements, when no element counts, or when one is not finite.
double Pearson(absl::Span<const double> x, absl::Span<const double> y, absl::Span<const uint8_t> mask = {});

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_PEARSON_H_
