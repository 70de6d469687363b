// Makes an Engine of a checkpoint directory.
#ifndef HYDROPHONE_SERVER_MODEL_ENGINE_LOAD_ENGINE_H_
#define HYDROPHONE_SERVER_MODEL_ENGINE_LOAD_ENGINE_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/core/engine.h"
#include "server/core/metrics.h"

namespace hydrophone {

struct EngineOptions {
  int threads = 0;                           // for one product; 0: see ThreadsFromCpuQuota
  std::chrono::microseconds awake{50};       // see ThreadPool's kUsualAwake
  bool copy_weights = false;                 // see LoadOptions::copy
  std::string model_name;                    // ModelInfo's; empty: the directory's own
  std::string tokenizer_sha256;              // copied into ModelInfo
  std::vector<std::string> tokenizer_notes;  // added to its loading_notes
  bool share_prefixes = true;                // see Gpt2Engine
  std::string device = "cpu";                // see ParseDevice
  Metrics* metrics = nullptr;                // see Gpt2Engine
};

// Makes the device ready, loads the checkpoint, probes the operations that its shapes need, and warms up. Errors are
// those of ParseDevice, OpenCudaDevice and LoadGpt2Checkpoint; RESOURCE_EXHAUSTED when memory runs out, also the GPU's.
absl::StatusOr<std::unique_ptr<Engine>> LoadEngine(const std::string& directory, const EngineOptions& options = {});

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_ENGINE_LOAD_ENGINE_H_
