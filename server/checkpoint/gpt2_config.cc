// The fields of config.json and what becomes of them.
//
// Done as Hugging Face does it: vocab_size, n_positions, n_embd, n_layer, n_head (also by their general names, such as
// hidden_size), n_inner, activation_function, layer_norm_epsilon, scale_attn_weights, scale_attn_by_inverse_layer_idx,
// reorder_and_upcast_attn, tie_word_embeddings, embd_pdrop, attn_pdrop, resid_pdrop, eos_token_id (unless
// generation_config.json has its own).
//
// Refused by name: model_type other than gpt2, add_cross_attention, quantization_config, auto_map (code of the
// checkpoint's own), pruned_heads.
//
// Accepted without effect: everything else, because transformers 5's GPT-2 does not read it when it computes hidden
// states and logits. So n_ctx (n_positions counts), use_cache, summary_*, initializer_range, the ids of other special
// tokens, architectures, dtype and torch_dtype (the files' own types count), attn_implementation.
#include "server/checkpoint/gpt2_config.h"

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/bounded_json.h"
#include "server/base/messages.h"

namespace hydrophone {
namespace {

using Json = nlohmann::json;

// Larger than any GPT-2, and small enough that products of two sizes stay far from 2^63.
constexpr int kMaxSize = 1 << 24;
constexpr int kMaxLayers = 4096;

struct ActivationName {
  const char* name;
  Activation activation;
};
// Names with one formula have one value: Hugging Face implements them differently, but they mean the same. Of its table
// two are missing, "prelu" and "xielu", which have parameters of their own.
constexpr ActivationName kActivations[] = {
    {"gelu_new", Activation::kGeluNew},
    {"gelu_fast", Activation::kGeluNew},
    {"gelu_accurate", Activation::kGeluNew},
    {"gelu_pytorch_tanh", Activation::kGeluNew},
    {"gelu_python_tanh", Activation::kGeluNew},
    {"gelu", Activation::kGelu},
    {"gelu_python", Activation::kGelu},
    {"quick_gelu", Activation::kQuickGelu},
    {"relu", Activation::kRelu},
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
    {"tanh", Activation::kTanh},
    {"gelu_10", Activation::kGelu10},
    {"hardswish", Activation::kHardswish},
    {"laplace", Activation::kLaplace},
    {"leaky_relu", Activation::kLeakyRelu},
    {"linear", Activation::kLinear},
    {"mish", Activation::kMish},
    {"relu2", Activation::kRelu2},
    {"relu6", Activation::kRelu6},
    {"sigmoid", Activation::kSigmoid},
    {"sqrtsoftplus", Activation::kSqrtSoftplus},
};

// Reads fields, each with its default, and gathers what is wrong with them.
class FieldReader {
 public:
  explicit FieldReader(const Json& config) : config_(config) {}

  // An integer from 1 to `max`. GPT-2's own name for it, or the general one that Hugging Face also takes.
  int Size(const char* name, const char* general_name, int fallback, int max = kMaxSize) {
    const Json* const own = Find(name);
    const Json* const general = general_name == nullptr ? nullptr : Find(general_name);
    if (own != nullptr && general != nullptr && *own != *general) {
      Refuse(name, *own, absl::StrCat("the same as ", general_name, ", which is ", Printable(general->dump())));
    }
    const Json* const value = own != nullptr ? own : general;
    if (value == nullptr) return fallback;
    if (value->is_number_unsigned() && value->get<uint64_t>() >= 1 &&
        value->get<uint64_t>() <= static_cast<uint64_t>(max)) {
      return value->get<int>();
    }
    Refuse(name, *value, absl::StrCat("an integer from 1 to ", max));
    return fallback;
  }

  bool Bool(const char* name, bool fallback) {
    const Json* const value = Find(name);
    if (value == nullptr) return fallback;
    if (value->is_boolean()) return value->get<bool>();
    Refuse(name, *value, "true or false");
    return fallback;
  }

  double Probability(const char* name, double fallback) {
    const Json* const value = Find(name);
    if (value == nullptr) return fallback;
    if (value->is_number() && value->get<double>() >= 0 && value->get<double>() <= 1) return value->get<double>();
    Refuse(name, *value, "a number from 0 to 1");
    return fallback;
  }

  double Epsilon(const char* name, double fallback) {
    const Json* const value = Find(name);
    if (value == nullptr) return fallback;
    if (value->is_number() && value->get<double>() > 0 && value->get<double>() <= 1) return value->get<double>();
    Refuse(name, *value, "a number above 0 and at most 1");
    return fallback;
  }

  std::string String(const char* name, const char* fallback) {
    const Json* const value = Find(name);
    if (value == nullptr) return fallback;
    if (value->is_string()) return value->get<std::string>();
    Refuse(name, *value, "a string");
    return fallback;
  }

  // An id, a list of ids, or null for none.
  std::vector<uint32_t> Ids(const char* name, std::vector<uint32_t> fallback) {
    const Json* const value = Find(name);
    if (value == nullptr) return fallback;
    const Json list = value->is_array() ? *value : value->is_null() ? Json::array() : Json::array({*value});
    std::vector<uint32_t> ids;
    for (const Json& id : list) {
      if (!id.is_number_unsigned() || id.get<uint64_t>() > static_cast<uint64_t>(kMaxSize)) {
        Refuse(name, *value, "a token id, a list of them, or null");
        return fallback;
      }
      ids.push_back(id.get<uint32_t>());
    }
    return ids;
  }

  // The field must be absent, null, false, or empty.
  void MustBeOff(const char* name, absl::string_view what) {
    const Json* const value = Find(name);
    if (value == nullptr || value->is_null() || *value == Json(false)) return;
    if ((value->is_array() || value->is_object()) && value->empty()) return;
    problems_.push_back(absl::StrCat(name, ": this server does not do ", what));
  }

  const Json* Find(const char* name) const {
    const auto found = config_.find(name);
    return found == config_.end() ? nullptr : &*found;
  }

  void Refuse(const char* name, const Json& got, absl::string_view expected) {
    problems_.push_back(absl::StrCat(name, ": got ", Printable(got.dump()), ", expected ", expected));
  }

  const std::vector<std::string>& problems() const { return problems_; }

 private:
  const Json& config_;
  std::vector<std::string> problems_;
};

void ReadSizes(FieldReader& fields, Gpt2Config& config) {
  config.n_layer = fields.Size("n_layer", "num_hidden_layers", config.n_layer, kMaxLayers);
  config.n_embd = fields.Size("n_embd", "hidden_size", config.n_embd);
  config.n_head = fields.Size("n_head", "num_attention_heads", config.n_head);
  config.n_positions = fields.Size("n_positions", "max_position_embeddings", config.n_positions);
  config.vocab_size = fields.Size("vocab_size", nullptr, config.vocab_size);
  const Json* const n_inner = fields.Find("n_inner");
  const bool given = n_inner != nullptr && !n_inner->is_null();
  config.n_inner = given ? fields.Size("n_inner", nullptr, 1) : 4 * config.n_embd;
  if (config.n_embd % config.n_head != 0) {
    fields.Refuse("n_embd", config.n_embd, absl::StrCat("a multiple of n_head, ", config.n_head));
  }
}

void ReadActivation(FieldReader& fields, Gpt2Config& config) {
  config.activation_function = fields.String("activation_function", "gelu_new");
  std::vector<std::string> names;
  for (const ActivationName& known : kActivations) {
    if (config.activation_function == known.name) {
      config.activation = known.activation;
      return;
    }
    names.emplace_back(known.name);
  }
  fields.Refuse("activation_function", config.activation_function, absl::StrCat("one of ", absl::StrJoin(names, ", ")));
}

void ReadArithmetic(FieldReader& fields, Gpt2Config& config) {
  config.layer_norm_epsilon = fields.Epsilon("layer_norm_epsilon", config.layer_norm_epsilon);
  config.scale_attn_weights = fields.Bool("scale_attn_weights", config.scale_attn_weights);
  config.scale_attn_by_inverse_layer_idx =
      fields.Bool("scale_attn_by_inverse_layer_idx", config.scale_attn_by_inverse_layer_idx);
  config.reorder_and_upcast_attn = fields.Bool("reorder_and_upcast_attn", config.reorder_and_upcast_attn);
  config.tie_word_embeddings = fields.Bool("tie_word_embeddings", config.tie_word_embeddings);
  config.embd_pdrop = fields.Probability("embd_pdrop", config.embd_pdrop);
  config.attn_pdrop = fields.Probability("attn_pdrop", config.attn_pdrop);
  config.resid_pdrop = fields.Probability("resid_pdrop", config.resid_pdrop);
  config.eos_token_ids = fields.Ids("eos_token_id", config.eos_token_ids);
}

void RefuseOtherModels(FieldReader& fields) {
  const std::string model_type = fields.String("model_type", "");
  if (model_type != "gpt2") fields.Refuse("model_type", model_type, "\"gpt2\"");
  fields.MustBeOff("add_cross_attention", "cross attention");
  fields.MustBeOff("quantization_config", "quantized weights");
  fields.MustBeOff("auto_map", "models with code of their own");
  fields.MustBeOff("pruned_heads", "pruned heads");
}

}  // namespace

absl::StatusOr<Gpt2Config> ParseGpt2Config(absl::string_view json) {
  const absl::StatusOr<Json> document = ParseBoundedJson(json);
  if (!document.ok()) return document.status();
  if (!document->is_object()) return absl::InvalidArgumentError("is no JSON object");
  FieldReader fields(*document);
  Gpt2Config config;
  RefuseOtherModels(fields);
  ReadSizes(fields, config);
  ReadActivation(fields, config);
  ReadArithmetic(fields, config);
  if (fields.problems().empty()) return config;
  return absl::InvalidArgumentError(absl::StrJoin(fields.problems(), "; "));
}

absl::StatusOr<std::vector<uint32_t>> ParseGenerationConfig(absl::string_view json) {
  const absl::StatusOr<Json> document = ParseBoundedJson(json);
  if (!document.ok()) return document.status();
  if (!document->is_object()) return absl::InvalidArgumentError("is no JSON object");
  FieldReader fields(*document);
  std::vector<uint32_t> ids = fields.Ids("eos_token_id", {});
  if (fields.problems().empty()) return ids;
  return absl::InvalidArgumentError(absl::StrJoin(fields.problems(), "; "));
}

}  // namespace hydrophone
