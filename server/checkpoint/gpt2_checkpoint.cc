#include "server/checkpoint/gpt2_checkpoint.h"

#include <algorithm>
#include <cstring>
#include <future>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "server/base/messages.h"
#include "server/checkpoint/gpt2_match.h"
#include "server/checkpoint/gpt2_parameters.h"
#include "server/checkpoint/gpt2_tensors.h"
#include "server/checkpoint/mapped_file.h"
#include "server/checkpoint/model_directory.h"
#include "server/checkpoint/random_access_file.h"
#include "server/checkpoint/weight_files.h"

namespace hydrophone {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;
constexpr char kGenerationConfig[] = "generation_config.json";
constexpr char kLmHead[] = "lm_head.weight";

// As Hugging Face's generate does it, generation_config.json goes before config.json where there is one.
absl::Status ReadGenerationConfig(const std::string& directory, Gpt2Config& config) {
  const std::string path = absl::StrCat(directory, "/", kGenerationConfig);
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxConfigBytes);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  absl::StatusOr<std::vector<uint32_t>> ids = ParseGenerationConfig(*text);
  if (!ids.ok()) return Annotate(ids.status(), Printable(path));
  config.eos_token_ids = *std::move(ids);
  return absl::OkStatus();
}

absl::StatusOr<Gpt2Config> ReadConfig(const std::string& directory) {
  const absl::StatusOr<std::string> text = ReadSmallFile(absl::StrCat(directory, "/config.json"), kMaxConfigBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<Gpt2Config> config = ParseGpt2Config(*text);
  if (!config.ok()) return Annotate(config.status(), absl::StrCat(Printable(directory), "/config.json"));
  if (absl::Status status = ReadGenerationConfig(directory, *config); !status.ok()) return status;
  return config;
}

bool SameBits(absl::Span<const float> a, absl::Span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// "float32", or "float32+float16" when the parameters are stored in several types.
std::string DtypesOf(absl::Span<const Gpt2Parameter> parameters, const WeightFiles& files) {
  std::string names;
  for (const auto& [dtype, name] :
       {std::pair("F32", "float32"), {"F16", "float16"}, {"BF16", "bfloat16"}, {"F64", "float64"}}) {
    const bool used =
        std::any_of(parameters.begin(), parameters.end(), [&, stored = dtype](const Gpt2Parameter& parameter) {
          return files.tensors.at(parameter.name).tensor.dtype == stored;
        });
    if (used) absl::StrAppend(&names, names.empty() ? "" : "+", name);
  }
  return names;
}

// Decides whether lm_head is wte, once both are loaded. `parameters` ends with lm_head when the files have it.
void TieEmbeddings(Gpt2Checkpoint& checkpoint, std::vector<Gpt2Parameter>& parameters,
                   std::vector<LoadedArray>& arrays) {
  Gpt2Weights& weights = checkpoint.weights;
  bool& tied = checkpoint.config.tie_word_embeddings;
  if (!tied) return;
  const bool in_files = parameters.back().name == kLmHead;
  if (in_files && !SameBits(weights.lm_head, weights.wte)) {
    tied = false;
    return;
  }
  weights.lm_head = weights.wte;
  if (!in_files) return;
  parameters.pop_back();
  arrays.pop_back();
}

void GiveBack(const std::vector<LoadedArray>& arrays, absl::Span<const float> array) {
  for (const LoadedArray& loaded : arrays) {
    if (loaded.values.data() != array.data() || !loaded.mapped) continue;
    GiveBackPages({reinterpret_cast<const char*>(array.data()), array.size() * sizeof(float)});
  }
}

absl::Status LoadWeights(const WeightFiles& files, const LoadOptions& options, Gpt2Checkpoint& checkpoint) {
  const bool with_lm_head = !checkpoint.config.tie_word_embeddings || files.tensors.contains(kLmHead);
  std::vector<Gpt2Parameter> parameters = Gpt2Parameters(checkpoint.config, with_lm_head, checkpoint.weights);
  if (absl::Status status = CheckTensors(parameters, files); !status.ok()) return status;
  auto arrays = std::make_shared<std::vector<LoadedArray>>();
  if (absl::Status status = LoadTensors(parameters, files, options.copy, *arrays); !status.ok()) return status;
  TieEmbeddings(checkpoint, parameters, *arrays);
  checkpoint.weights.owner = arrays;
  checkpoint.weights.give_back = [arrays](absl::Span<const float> array) { GiveBack(*arrays, array); };
  checkpoint.weights_dtype = DtypesOf(parameters, files);
  for (const Gpt2Parameter& parameter : parameters) checkpoint.parameters += parameter.elements();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Gpt2Checkpoint> LoadGpt2Checkpoint(const std::string& directory, const LoadOptions& options) {
  absl::StatusOr<Gpt2Config> config = ReadConfig(directory);
  if (!config.ok()) return config.status();
  absl::StatusOr<WeightFiles> files = OpenWeightFiles(directory);
  if (!files.ok()) return files.status();
  if (config->tie_word_embeddings) LetLmHeadBeTheEmbedding(*files);

  Gpt2Checkpoint checkpoint;
  checkpoint.directory = directory;
  checkpoint.name = DirectoryName(directory);
  checkpoint.config = *std::move(config);
  checkpoint.activation_function = checkpoint.config.activation_function;
  checkpoint.loading_notes = files->notes;
  if (absl::Status status = LoadWeights(*files, options, checkpoint); !status.ok()) {
    return Annotate(status, Printable(directory));
  }
  std::future<absl::StatusOr<std::string>> digesting =
      std::async(std::launch::async, [&] { return DigestFiles(*files); });
  if (options.meanwhile) options.meanwhile(checkpoint);
  absl::StatusOr<std::string> digest = digesting.get();
  if (!digest.ok()) return digest.status();
  checkpoint.weights_sha256 = *std::move(digest);
  return checkpoint;
}

ModelInfo DescribeModel(const Gpt2Checkpoint& checkpoint) {
  const Gpt2Config& config = checkpoint.config;
  ModelInfo info;
  info.name = checkpoint.name;
  info.architecture = "gpt2";
  info.n_layer = config.n_layer;
  info.n_embd = config.n_embd;
  info.n_head = config.n_head;
  info.n_inner = config.n_inner;
  info.n_positions = config.n_positions;
  info.vocab_size = config.vocab_size;
  info.parameters = checkpoint.parameters;
  info.activation_function = checkpoint.activation_function;
  info.layer_norm_epsilon = config.layer_norm_epsilon;
  info.tie_word_embeddings = config.tie_word_embeddings;
  info.weights_sha256 = checkpoint.weights_sha256;
  info.weights_dtype = checkpoint.weights_dtype;
  info.loading_notes = checkpoint.loading_notes;
  info.eos_token_ids = config.eos_token_ids;
  return info;
}

}  // namespace hydrophone
