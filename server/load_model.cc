#include "server/load_model.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/checkpoint/weight_files.h"
#include "server/container/memory_fit.h"
#include "server/container/memory_limit.h"
#include "server/model/engine/load_engine.h"
#include "server/obs/log.h"

namespace hydrophone {
namespace {

// Whether the tokenizer may be the model's: a vocabulary with more tokens would give ids without an embedding. The
// model may have more, as an embedding that was padded to a round size has; and tokens that were added without an
// embedding are refused where a text holds one.
absl::Status CheckVocabulary(const ModelInfo& model, const Tokenizer& tokenizer) {
  const auto ids = static_cast<uint32_t>(model.vocab_size);
  if (IsMissing(tokenizer)) {
    LogWarning("the model's directory has no tokenizer: token ids are served, text is refused");
    return absl::OkStatus();
  }
  if (ids < tokenizer.base_vocab_size()) {
    return absl::InvalidArgumentError(absl::StrCat("the tokenizer has ", tokenizer.base_vocab_size(),
                                                   " tokens, but config.json's vocab_size is ", model.vocab_size,
                                                   ": they belong to different models"));
  }
  if (ids < tokenizer.vocab_size()) {
    LogWarning(absl::StrCat("the tokenizer's added tokens from ", ids, " to ", tokenizer.vocab_size() - 1,
                            " have no embedding: a text with one is refused"));
  }
  if (ids > tokenizer.vocab_size()) {
    LogInfo(absl::StrCat("ids from ", tokenizer.vocab_size(), " to ", ids - 1,
                         " have an embedding and no spelling: they are served as ids"));
  }
  return absl::OkStatus();
}

void LogLoaded(const Engine& engine, absl::Duration elapsed) {
  const ModelInfo& model = engine.model();
  const ComputeInfo& compute = engine.compute();
  LogInfo("loaded the model", {{"seconds", absl::StrFormat("%.2f", absl::ToDoubleSeconds(elapsed))},
                               {"name", model.name},
                               {"blocks", absl::StrCat(model.n_layer)},
                               {"width", absl::StrCat(model.n_embd)},
                               {"parameters", absl::StrCat(model.parameters)},
                               {"weights_sha256", model.weights_sha256},
                               {"device", compute.device},
                               {"threads", absl::StrCat(compute.threads)},
                               {"numerics", compute.numerics},
                               {"instruction_set", compute.instruction_set}});
  for (const std::string& note : model.loading_notes) LogInfo(note);
  if (!compute.batch_independent) {
    LogWarning(
        "a row's bits may depend on its neighbours on this device: no way to multiply was found that prevents it");
  }
}

}  // namespace

absl::Status FitIntoMemory(const ModelDirectory& directory, Flags* flags) {
  flags->limits.slice_bytes = flags->limits.response_budget_bytes / kSlicesInBudget;
  // What weight files that cannot be opened lack is for the loading to say; on a GPU, those that are mapped need no
  // memory of the host's for long.
  const std::optional<MemoryLimit> memory = FindMemoryLimit();
  const absl::StatusOr<WeightFiles> weights = OpenWeightFiles(directory.path);
  if (!memory.has_value() || !weights.ok()) return absl::OkStatus();
  const bool on_host = flags->device == "cpu" || flags->copy_weights;
  const uint64_t weight_bytes = on_host ? BytesInMemory(*weights, flags->copy_weights) : 0;
  if (absl::Status fits = FitMemory(*memory, weight_bytes, flags->given, &flags->limits); !fits.ok()) return fits;
  LogInfo("memory", {{"bytes", absl::StrCat(memory->bytes)},
                     {"allowed_by", memory->file},
                     {"weights_bytes", absl::StrCat(weight_bytes)},
                     {"response_budget_bytes", absl::StrCat(flags->limits.response_budget_bytes)},
                     {"other_bytes", absl::StrCat(kOtherMemoryBytes)}});
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Engine>> LoadModel(const Flags& flags, const ModelDirectory& directory,
                                                  const Tokenizer& tokenizer, Metrics* metrics) {
  absl::Time start = absl::Now();
  LogInfo("loading the model", {{"model", directory.path}, {"device", flags.device}});
  const EngineOptions options{.threads = flags.threads,
                              .awake = std::chrono::microseconds(flags.awake_microseconds),
                              .copy_weights = flags.copy_weights,
                              .model_name = flags.model_name.empty() ? directory.name : flags.model_name,
                              .tokenizer_sha256 = std::string(tokenizer.sha256()),
                              .tokenizer_notes = {tokenizer.notes().begin(), tokenizer.notes().end()},
                              .share_prefixes = flags.share_prefixes,
                              .device = flags.device,
                              .metrics = metrics};
  auto engine = LoadEngine(directory.path, options);
  if (!engine.ok()) return engine;
  if (absl::Status same = CheckVocabulary((*engine)->model(), tokenizer); !same.ok()) return same;
  LogLoaded(**engine, absl::Now() - start);
  return engine;
}

}  // namespace hydrophone
