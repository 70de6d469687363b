#include "server/answer/parameter_frames.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "hydrophone/v1/parameters.pb.h"
#include "server/answer/frames.h"

namespace hydrophone {
namespace {

// EncodeChunk writes the field that both responses have.
static_assert(int{v1::GetParametersResponse::kChunkFieldNumber} == int{v1::ExtractResponse::kChunkFieldNumber});

void FillInfo(const AskedParameter& asked, v1::Dtype dtype, v1::TensorInfo* info) {
  info->set_name(asked.parameter.name);
  info->set_hugging_face_name(asked.parameter.name);
  info->set_asked_name(asked.asked_name);
  info->set_layer(asked.parameter.layer);
  info->set_selector(asked.selector);
  info->set_dtype(dtype);
  for (int64_t dimension : asked.Shape()) info->add_shape(static_cast<uint32_t>(dimension));
}

// The elements [first, first + count) of the parameter's rows, one after the other in the order of `rows`.
std::vector<float> Gathered(const AskedParameter& asked, uint64_t first, uint64_t count) {
  const absl::Span<const float> all = asked.parameter.values.floats();
  const uint64_t row = asked.RowElements();
  std::vector<float> gathered;
  gathered.reserve(count);
  for (uint64_t at = first; at < first + count;) {
    const uint64_t within = at % row;
    const uint64_t length = std::min(row - within, first + count - at);
    const absl::Span<const float> part = all.subspan(asked.rows[at / row] * row + within, length);
    gathered.insert(gathered.end(), part.begin(), part.end());
    at += length;
  }
  return gathered;
}

Frame Serialized(const v1::GetParametersResponse& message) {
  Frame frame;
  frame.head = message.SerializeAsString();
  return frame;
}

}  // namespace

ParameterFrames::ParameterFrames(ParametersCall call, const RequestContext& context)
    : call_(std::move(call)), context_(context) {}

std::optional<Frame> ParameterFrames::Next() {
  if (!std::exchange(header_sent_, true)) return Header();
  if (!call_.list_only && tensor_ < call_.tensors.size()) return NextChunk();
  if (!std::exchange(trailer_sent_, true)) return Trailer();
  return std::nullopt;
}

Frame ParameterFrames::Header() const {
  v1::GetParametersResponse message;
  v1::ParametersHeader* header = message.mutable_header();
  FillProvenance(call_.request_sha256, context_, header->mutable_provenance());
  header->set_tensors(static_cast<uint32_t>(call_.tensors.size()));
  header->set_data_bytes(call_.data_bytes);
  for (const AskedParameter& asked : call_.tensors) {
    v1::ParameterInfo* info = header->add_parameters();
    info->set_name(asked.parameter.name);
    info->set_tied_to(asked.parameter.tied_to);
    for (int64_t dimension : asked.parameter.values.shape) info->add_shape(static_cast<uint32_t>(dimension));
  }
  return Serialized(message);
}

TensorView ParameterFrames::Piece(const AskedParameter& asked, uint64_t first, uint64_t count) const {
  TensorView piece = asked.parameter.values;
  piece.shape = {static_cast<int64_t>(count)};
  if (asked.rows.empty()) {
    piece.data += first * sizeof(float);
    return piece;
  }
  auto gathered = std::make_shared<const std::vector<float>>(Gathered(asked, first, count));
  piece.data = reinterpret_cast<const std::byte*>(gathered->data());
  piece.owner = std::move(gathered);
  return piece;
}

Frame ParameterFrames::NextChunk() {
  const AskedParameter& asked = call_.tensors[tensor_];
  const ChunkedTensor tensor{asked.Elements(), asked.RowElements(), call_.dtype};
  v1::Chunk chunk;
  chunk.set_tensor(static_cast<uint32_t>(tensor_));
  chunk.set_offset(offset_);
  if (sent_ == 0) FillInfo(asked, call_.dtype, chunk.mutable_info());
  const uint64_t count = NextPiece(tensor, sent_, chunk, context_.limits.max_message_bytes);
  const TensorView piece = Piece(asked, sent_, count);
  EncodedChunk encoded = EncodeChunk(std::move(chunk), piece.floats(), call_.dtype, piece.owner);
  nonfinite_ += encoded.nonfinite;
  sent_ += count;
  offset_ += encoded.bytes;
  if (sent_ == tensor.elements) {
    ++tensor_;
    sent_ = 0;
    offset_ = 0;
  }
  return std::move(encoded.frame);
}

Frame ParameterFrames::Trailer() const {
  v1::GetParametersResponse message;
  v1::ParametersTrailer* trailer = message.mutable_trailer();
  if (!call_.list_only) {
    trailer->set_tensors(static_cast<uint32_t>(call_.tensors.size()));
    trailer->set_data_bytes(call_.data_bytes);
  }
  trailer->set_nonfinite(nonfinite_);
  return Serialized(message);
}

}  // namespace hydrophone
