// Puts stored tensors into memory as float32 arrays.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_GPT2_TENSORS_H_
#define HYDROPHONE_SERVER_CHECKPOINT_GPT2_TENSORS_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/checkpoint/gpt2_parameters.h"
#include "server/checkpoint/weight_files.h"

namespace hydrophone {

// A parameter's array and the owner of its memory: a file's bytes, or an array of its own.
struct LoadedArray {
  absl::Span<const float> values;
  std::shared_ptr<const void> owner;
  bool mapped = false;  // whether it lies in a mapped file
};

// Sets every parameter's `values` and appends its array to `arrays`, in the same order. The parameters have passed
// CheckTensors. Float32 tensors at multiples of 4 bytes share the file's bytes, which are mapped, or copied if `copy`;
// others get an array. RESOURCE_EXHAUSTED when memory is out; DATA_LOSS when a file is cut short meanwhile.
absl::Status LoadTensors(absl::Span<const Gpt2Parameter> parameters, const WeightFiles& files, bool copy,
                         std::vector<LoadedArray>& arrays);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_GPT2_TENSORS_H_
