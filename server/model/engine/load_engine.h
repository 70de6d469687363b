// From a checkpoint directory to an Engine.
#ifndef HYDROPHONE_SERVER_MODEL_ENGINE_LOAD_ENGINE_H_
#define HYDROPHONE_SERVER_MODEL_ENGINE_LOAD_ENGINE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/core/engine.h"

namespace hydrophone {

struct EngineOptions {
  int threads = 0;               // that one product may use; 0: from the container's CPU quota
  bool copy_weights = false;     // see LoadOptions::copy
  std::string tokenizer_sha256;  // goes into ModelInfo
  bool share_prefixes = true;    // see Gpt2Engine
  std::string device = "cpu";    // see ParseDevice
};

// Makes the device ready, loads the checkpoint, probes the operations that its shapes need, and warms up. Errors are
// ParseDevice's, OpenCudaDevice's and LoadGpt2Checkpoint's; INTERNAL when memory runs out, the GPU's too.
absl::StatusOr<std::unique_ptr<Engine>> LoadEngine(const std::string& directory, const EngineOptions& options = {});

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ENGINE_LOAD_ENGINE_H_
