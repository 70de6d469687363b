// Fills Values messages: captures that are not sent as bytes.
#ifndef HYDROPHONE_SERVER_ANSWER_VALUES_H_
#define HYDROPHONE_SERVER_ANSWER_VALUES_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/core/tensor.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// A tensor in the format's view, which is not VIEW_BYTES.
void FillView(const CaptureFormat& format, const TensorView& tensor, v1::Values* values);

// `numbers`: what a readout gave for the rows of plan.captures[capture].runs[run], the tensor of that run. `first_row`:
// the place of the first of these rows among the capture's rows.
void FillScores(const ExtractCall& call, size_t capture, size_t run, int64_t first_row, absl::Span<const float> numbers,
                v1::Values* values);

// `run` and `baseline` have as many values.
void FillComparison(absl::Span<const float> run, absl::Span<const float> baseline, v1::Comparison* comparison);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_VALUES_H_
