#include "server/answer/frames.h"

#include "hydrophone/v1/extract.pb.h"

namespace hydrophone {
namespace {

Frame Serialized(const v1::ExtractResponse& message) {
  Frame frame;
  frame.head = message.SerializeAsString();
  return frame;
}

}  // namespace

void FillProvenance(const std::string& request_sha256, const RequestContext& context, v1::Provenance* provenance) {
  provenance->set_model(context.model.name);
  provenance->set_weights_sha256(context.model.weights_sha256);
  provenance->set_tokenizer_sha256(context.model.tokenizer_sha256);
  provenance->set_numerics(context.compute.numerics);
  provenance->set_server_version(context.server_version);
  provenance->set_request_sha256(request_sha256);
}

void FillInputInfo(const PlannedInput& input, uint32_t index, const Tokenizer& tokenizer, v1::InputInfo* info) {
  info->set_index(index);
  info->set_key(input.key);
  info->mutable_token_ids()->Add(input.token_ids.begin(), input.token_ids.end());
  info->mutable_byte_offsets()->Add(input.byte_offsets.begin(), input.byte_offsets.end());
  for (uint32_t id : input.token_ids) {
    absl::string_view piece = PieceOf(tokenizer, id);
    info->add_pieces(piece.data(), piece.size());
  }
  info->set_skipped(input.skipped);
  info->set_truncated_tokens(input.truncated_tokens);
}

Frame EncodeHeader(const ExtractCall& call, const RequestContext& context) {
  v1::ExtractResponse message;
  v1::Header* header = message.mutable_header();
  FillProvenance(call.request_sha256, context, header->mutable_provenance());
  header->set_inputs(static_cast<uint32_t>(call.inputs.size()));
  header->set_runs(static_cast<uint32_t>(call.plan.runs.size()));
  header->set_tensors(call.tensors);
  header->set_data_bytes(call.data_bytes);
  header->set_tokens(static_cast<uint64_t>(call.plan.tokens()));
  for (const SelectedPoints& selected : call.selected) {
    v1::Selected* added = header->add_selected();
    added->set_asked_name(selected.asked_name);
    added->set_points(selected.points);
    added->set_data_bytes(selected.data_bytes);
  }
  return Serialized(message);
}

Frame EncodeInputInfo(const ExtractCall& call, uint32_t index, const Tokenizer& tokenizer) {
  v1::ExtractResponse message;
  FillInputInfo(call.inputs[index], index, tokenizer, message.mutable_input());
  return Serialized(message);
}

Frame EncodeTrailer(const ExtractCall& call, const StreamTotals& totals) {
  v1::ExtractResponse message;
  v1::Trailer* trailer = message.mutable_trailer();
  if (!call.validate_only) {
    trailer->set_tensors(call.tensors);
    trailer->set_data_bytes(call.data_bytes);
  }
  trailer->set_nonfinite(totals.nonfinite);
  trailer->set_queue_seconds(totals.queue_seconds);
  trailer->set_compute_seconds(totals.compute_seconds);
  trailer->set_batch_tokens(static_cast<uint32_t>(totals.batch_tokens));
  return Serialized(message);
}

}  // namespace hydrophone
