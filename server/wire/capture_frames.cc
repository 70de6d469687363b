// Chunks and values of one capture.
#include <algorithm>
#include <utility>

#include "absl/types/span.h"
#include "google/protobuf/io/coded_stream.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/wire/frames.h"
#include "server/wire/preview.h"
#include "server/wire/statistics.h"
#include "zlib.h"

namespace hydrophone {
namespace {

// ExtractResponse.chunk and Chunk.data: field 15, length-delimited.
constexpr char kField15 = (15 << 3) | 2;

// The most bytes that a chunk's tags, lengths and checksum take.
constexpr uint64_t kChunkOverhead = 32;

void AppendVarint(uint64_t value, std::string* bytes) {
  uint8_t buffer[10];
  uint8_t* end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, buffer);
  bytes->append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(end - buffer));
}

bool HoldsAllRuns(const Capture& capture, size_t runs) {
  if (capture.runs.size() != runs) return false;
  for (size_t i = 0; i < runs; ++i) {
    if (capture.runs[i] != i) return false;
  }
  return true;
}

void FillRuns(const ExtractCall& call, const Capture& capture, size_t tensor,
              v1::TensorInfo* info) {
  if (call.layout != v1::LAYOUT_ROWS) {
    info->add_runs(call.run_numbers[capture.runs[tensor]]);
    return;
  }
  if (!HoldsAllRuns(capture, call.plan.runs.size())) {
    for (uint32_t run : capture.runs) info->add_runs(call.run_numbers[run]);
  }
  info->mutable_rows()->Add(capture.rows_per_run.begin(), capture.rows_per_run.end());
}

void FillTensorInfo(const ExtractCall& call, const Capture& capture, size_t tensor,
                    absl::Span<const int64_t> shape, v1::TensorInfo* info) {
  info->set_name(CanonicalName(capture.point));
  info->set_hugging_face_name(HuggingFaceName(capture.point));
  info->set_layer(capture.point.layer);
  info->set_selector(capture.selector);
  FillRuns(call, capture, tensor, info);
  info->set_dtype(v1::DTYPE_FLOAT32);
  for (int64_t dimension : shape) info->add_shape(static_cast<uint32_t>(dimension));
}

void FillSummary(const Moments& moments, v1::Summary* summary) {
  summary->set_mean(moments.mean);
  summary->set_std(moments.std);
  summary->set_min(moments.min);
  summary->set_max(moments.max);
  summary->set_l2(moments.l2);
  summary->set_count(moments.count);
  summary->set_nonfinite(moments.nonfinite);
}

// How many bytes of a tensor's remaining ones to send: whole rows, as many as fit, or a part of one
// that does not.
uint64_t PieceSize(uint64_t offset, uint64_t row_bytes, uint64_t tensor_bytes, uint64_t budget) {
  if (row_bytes == 0) return 0;
  uint64_t rest_of_row = row_bytes - offset % row_bytes;
  if (rest_of_row == row_bytes && row_bytes <= budget) {
    return std::min(budget / row_bytes * row_bytes, tensor_bytes - offset);
  }
  uint64_t elements = std::max<uint64_t>(budget / sizeof(float), 1);
  return std::min(elements * sizeof(float), rest_of_row);
}

// Puts a chunk's bytes together: see the picture in frames.h. A message without data has no data
// field.
Frame ChunkFrame(const v1::Chunk& chunk, const std::byte* data, uint64_t size,
                 const std::shared_ptr<const void>& owner) {
  std::string fields = chunk.SerializeAsString();
  if (size > 0) {
    fields += kField15;
    AppendVarint(size, &fields);
  }
  Frame frame;
  frame.head += kField15;
  AppendVarint(fields.size() + size, &frame.head);
  frame.head += fields;
  if (size > 0) {
    frame.tail = data;
    frame.tail_size = size;
    frame.owner = owner;
  }
  return frame;
}

}  // namespace

CaptureFrames::CaptureFrames(const ExtractCall& call, size_t capture_index, TensorView rows,
                             uint64_t max_message_bytes)
    : call_(call),
      capture_index_(capture_index),
      rows_(std::move(rows)),
      max_message_bytes_(max_message_bytes) {}

std::optional<Frame> CaptureFrames::Next() {
  const Capture& capture = call_.plan.captures[capture_index_];
  size_t tensors = call_.layout == v1::LAYOUT_ROWS ? 1 : capture.runs.size();
  if (tensor_ == tensors) return std::nullopt;
  return call_.formats[capture_index_].view == v1::VIEW_BYTES ? NextChunk() : NextValues();
}

TensorView CaptureFrames::CurrentTensor() const {
  const Capture& capture = call_.plan.captures[capture_index_];
  TensorView tensor = rows_;
  tensor.data += static_cast<size_t>(first_element_) * sizeof(float);
  if (call_.layout == v1::LAYOUT_ROWS) {
    tensor.shape = {capture.row_count};
    tensor.shape.insert(tensor.shape.end(), capture.row_shape.begin(), capture.row_shape.end());
  } else {
    tensor.shape = capture.TensorShape(tensor_);
  }
  return tensor;
}

void CaptureFrames::FinishTensor(const TensorView& tensor) {
  ++tensor_;
  first_element_ += static_cast<int64_t>(tensor.elements());
  offset_ = 0;
}

Frame CaptureFrames::NextChunk() {
  const Capture& capture = call_.plan.captures[capture_index_];
  TensorView tensor = CurrentTensor();
  v1::Chunk chunk;
  chunk.set_tensor(call_.formats[capture_index_].first_tensor + static_cast<uint32_t>(tensor_));
  chunk.set_offset(offset_);
  if (offset_ == 0) FillTensorInfo(call_, capture, tensor_, tensor.shape, chunk.mutable_info());

  uint64_t taken = chunk.ByteSizeLong() + kChunkOverhead;
  uint64_t budget = max_message_bytes_ > taken ? max_message_bytes_ - taken : 0;
  uint64_t row_bytes = static_cast<uint64_t>(tensor.shape.back()) * sizeof(float);
  uint64_t size = tensor.bytes() == 0 ? 0 : PieceSize(offset_, row_bytes, tensor.bytes(), budget);
  const std::byte* data = tensor.data + offset_;
  chunk.set_crc32(static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data), size)));
  nonfinite_ += CountNonfinite({reinterpret_cast<const float*>(data), size / sizeof(float)});

  Frame frame = ChunkFrame(chunk, data, size, tensor.owner);
  offset_ += size;
  if (offset_ == tensor.bytes()) FinishTensor(tensor);
  return frame;
}

Frame CaptureFrames::NextValues() {
  const CaptureFormat& format = call_.formats[capture_index_];
  TensorView tensor = CurrentTensor();
  absl::Span<const float> floats = tensor.floats();
  v1::ExtractResponse message;
  v1::Values* values = message.mutable_values();
  values->set_tensor(format.first_tensor + static_cast<uint32_t>(tensor_));
  FillTensorInfo(call_, call_.plan.captures[capture_index_], tensor_, tensor.shape,
                 values->mutable_info());
  if (format.view == v1::VIEW_PREVIEW) values->set_preview(PreviewOf(floats, tensor.shape));
  if (format.view == v1::VIEW_FLOATS) values->mutable_floats()->Add(floats.begin(), floats.end());
  if (format.view == v1::VIEW_SUMMARY) FillSummary(MomentsOf(floats), values->mutable_summary());
  nonfinite_ += CountNonfinite(floats);

  FinishTensor(tensor);
  Frame frame;
  frame.head = message.SerializeAsString();
  return frame;
}

}  // namespace hydrophone
