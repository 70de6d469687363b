// The model that the flags name, with its tokenizer, in the memory that there is.
#ifndef HYDROPHONE_SERVER_LOAD_MODEL_H_
#define HYDROPHONE_SERVER_LOAD_MODEL_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/checkpoint/model_directory.h"
#include "server/core/engine.h"
#include "server/core/metrics.h"
#include "server/core/tokenizer.h"
#include "server/flags.h"

namespace hydrophone {

// Fits the limits on memory into what the container, or else the machine, has of it. RESOURCE_EXHAUSTED, with the
// numbers, when the weights and the limits that were given do not fit.
absl::Status FitIntoMemory(const ModelDirectory& directory, Flags* flags);

// Loads the weights, for a tokenizer that was loaded from the same directory, and logs what was loaded. `metrics` must
// live as long as the engine. Errors: those of the files, and INVALID_ARGUMENT for a tokenizer of another model.
absl::StatusOr<std::unique_ptr<Engine>> LoadModel(const Flags& flags, const ModelDirectory& directory,
                                                  const Tokenizer& tokenizer, Metrics* metrics);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_LOAD_MODEL_H_
