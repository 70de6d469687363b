#include "server/answer/model_messages.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "google/protobuf/stubs/common.h"
#include "server/core/hook_points.h"

namespace hydrophone {
namespace {

uint32_t Unsigned(int64_t value) { return static_cast<uint32_t>(value); }

void FillModel(const ModelInfo& model, v1::ModelInfo* message) {
  message->set_name(model.name);
  message->set_architecture(model.architecture);
  message->set_n_layer(Unsigned(model.n_layer));
  message->set_n_embd(Unsigned(model.n_embd));
  message->set_n_head(Unsigned(model.n_head));
  message->set_n_inner(Unsigned(model.n_inner));
  message->set_n_positions(Unsigned(model.n_positions));
  message->set_vocab_size(Unsigned(model.vocab_size));
  message->set_parameters(static_cast<uint64_t>(model.parameters));
  message->set_activation_function(model.activation_function);
  message->set_layer_norm_epsilon(model.layer_norm_epsilon);
  message->set_tie_word_embeddings(model.tie_word_embeddings);
  message->set_weights_sha256(model.weights_sha256);
  message->set_tokenizer_sha256(model.tokenizer_sha256);
  message->set_weights_dtype(model.weights_dtype);
  for (const std::string& note : model.loading_notes) message->add_loading_notes(note);
  for (const uint32_t id : model.eos_token_ids) message->add_eos_token_ids(id);
}

void FillTokenizer(const Tokenizer& tokenizer, v1::TokenizerInfo* message) {
  message->set_tokens(tokenizer.vocab_size());
  if (tokenizer.bos_id().has_value()) message->set_bos_token_id(*tokenizer.bos_id());
  for (const uint32_t id : tokenizer.ids_before_text()) message->add_ids_before_text(id);
  for (const uint32_t id : tokenizer.ids_after_text()) message->add_ids_after_text(id);
  message->set_add_prefix_space(tokenizer.adds_prefix_space());
}

void FillCompute(const ComputeInfo& compute, v1::ComputeInfo* message) {
  message->set_dtype(compute.dtype);
  message->set_device(compute.device);
  message->set_numerics(compute.numerics);
  message->set_instruction_set(compute.instruction_set);
  message->set_batch_independent(compute.batch_independent);
  message->set_threads(Unsigned(compute.threads));
}

void FillLimits(const Limits& limits, v1::Limits* message) {
  message->set_max_inputs_per_request(limits.max_inputs_per_request);
  message->set_max_tokens_per_request(limits.max_tokens_per_request);
  message->set_max_response_bytes(limits.max_response_bytes);
  message->set_max_request_bytes(limits.max_request_bytes);
  message->set_max_tensors_per_request(limits.max_tensors_per_request);
  message->set_max_message_bytes(limits.max_message_bytes);
  message->set_max_queued_requests(limits.max_queued_requests);
  message->set_max_batch_tokens(limits.max_batch_tokens);
  message->set_response_budget_bytes(limits.response_budget_bytes);
  message->set_max_reference_tokens(limits.max_reference_tokens);
  message->set_max_request_elements(limits.max_request_elements);
  message->set_max_hooks_per_request(limits.max_hooks_per_request);
  message->set_batch_linger_microseconds(limits.batch_linger_microseconds);
  message->set_slice_tokens(limits.slice_tokens);
  message->set_short_tokens(limits.short_tokens);
  message->set_max_queue_seconds(limits.max_queue_seconds);
}

void FillHookPoint(const HookPointInfo& info, const ModelInfo& model, v1::HookPoint* message) {
  message->set_name(info.name);
  message->set_hugging_face_name(info.hugging_face);
  for (const char* alias : info.aliases) message->add_aliases(alias);
  message->set_description(info.description);
  for (const char* symbol : info.shape) {
    message->add_shape_symbols(symbol);
    message->add_shape(Unsigned(DimensionSize(symbol, model)));
  }
  message->set_layers(Unsigned(LayerCount(info, model)));
  message->set_capturable(true);
  message->set_editable(info.editable());
}

}  // namespace

v1::GetModelResponse DescribeModel(const ModelInfo& model, const Tokenizer& tokenizer, const ComputeInfo& compute,
                                   const Limits& limits, const ProgramVersions& versions) {
  v1::GetModelResponse response;
  FillModel(model, response.mutable_model());
  if (!IsMissing(tokenizer)) FillTokenizer(tokenizer, response.mutable_model()->mutable_tokenizer());
  FillCompute(compute, response.mutable_compute());
  FillLimits(limits, response.mutable_limits());
  v1::Versions* message = response.mutable_versions();
  message->set_server(versions.server);
  message->set_libtorch(compute.libtorch_version);
  message->set_grpc(versions.grpc);
  message->set_protobuf(google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION));
  return response;
}

v1::ListHookPointsResponse DescribeHookPoints(const ModelInfo& model) {
  std::vector<const HookPointInfo*> points;
  for (const HookPointInfo& info : HookPoints()) points.push_back(&info);
  std::stable_sort(points.begin(), points.end(), [](const auto* a, const auto* b) { return a->ComesBefore(*b); });
  v1::ListHookPointsResponse response;
  for (const HookPointInfo* info : points) FillHookPoint(*info, model, response.add_hook_points());
  return response;
}

}  // namespace hydrophone
