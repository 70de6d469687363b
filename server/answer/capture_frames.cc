// Chunks and values of one capture.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "google/protobuf/io/coded_stream.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/answer/element_sums.h"
#include "server/answer/frames.h"
#include "server/answer/values.h"
#include "server/base/half.h"

namespace hydrophone {
namespace {

using Form = CaptureFormat::Form;

// The tags of ExtractResponse.chunk and Chunk.data: both are length-delimited, and have numbers that fit a tag of one
// byte. ChunkFrame writes data behind the other fields, as protobuf does with a message's last field.
constexpr int kLengthDelimited = 2;
constexpr char kChunkTag = (v1::ExtractResponse::kChunkFieldNumber << 3) | kLengthDelimited;
constexpr char kDataTag = (v1::Chunk::kDataFieldNumber << 3) | kLengthDelimited;
static_assert(v1::ExtractResponse::kChunkFieldNumber == 15 && v1::Chunk::kDataFieldNumber == 15);

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

// The runs whose rows a tensor holds, and how many of each.
void FillRows(const ExtractCall& call, const Capture& capture, v1::TensorInfo* info) {
  if (!HoldsAllRuns(capture, call.plan.runs.size())) {
    for (uint32_t run : capture.runs) info->add_runs(call.run_numbers[run]);
  }
  for (uint32_t rows : capture.rows_per_run) info->add_rows(capture.reduction == Reduction::kNone ? rows : 1);
}

void FillTensorInfo(const ExtractCall& call, size_t capture_index, size_t tensor, absl::Span<const int64_t> shape,
                    v1::TensorInfo* info) {
  const Capture& capture = call.plan.captures[capture_index];
  const CaptureFormat& format = call.formats[capture_index];
  info->set_name(CanonicalName(capture.point));
  info->set_hugging_face_name(HuggingFaceName(capture.point));
  info->set_layer(capture.point.layer);
  info->set_selector(capture.selector);
  info->set_asked_name(call.selected[capture.selector].asked_name);
  if (format.form == Form::kRows) {
    FillRows(call, capture, info);
  } else {
    info->add_runs(call.run_numbers[capture.runs[tensor]]);
  }
  if (format.form == Form::kComparison) info->set_baseline(call.run_numbers[capture.runs[1]]);
  info->set_dtype(format.dtype);
  info->set_lens_logits(capture.readout != nullptr && !capture.readout->scores());
  for (int64_t dimension : shape) info->add_shape(static_cast<uint32_t>(dimension));
}

// How many of a tensor's remaining elements to send in at most `budget` bytes: whole rows, as many as fit, or a part of
// one that does not.
uint64_t PieceElements(uint64_t sent, uint64_t row, uint64_t total, uint64_t budget, uint64_t element_bytes) {
  if (total == 0) return 0;
  const uint64_t room = std::max<uint64_t>(budget / element_bytes, 1);
  const uint64_t rest_of_row = row - sent % row;
  if (rest_of_row == row && row <= room) return std::min(room / row * row, total - sent);
  return std::min(room, rest_of_row);
}

// Elements as they are sent, with the checksum and the count that go with them.
struct Payload {
  TensorView data;
  ElementSums sums;  // the checksum is of the data as sent, the count of the values as computed
};

// Rounds the elements to a type of two bytes, little-endian, in memory of its own.
Payload Narrowed(absl::Span<const float> elements, v1::Dtype dtype) {
  const bool half = dtype == v1::DTYPE_FLOAT16;
  auto narrow = std::make_shared<std::vector<uint16_t>>(elements.size());
  std::transform(elements.begin(), elements.end(), narrow->begin(), half ? HalfOf : BfloatOf);
  Payload payload;
  payload.data.dtype = half ? Dtype::kFloat16 : Dtype::kBfloat16;
  payload.data.shape = {static_cast<int64_t>(elements.size())};
  payload.data.data = reinterpret_cast<const std::byte*>(narrow->data());
  payload.data.owner = std::move(narrow);
  payload.sums = {Crc32({payload.data.data, payload.data.bytes()}), CountNonfinite(elements)};
  return payload;
}

// Float32 elements are sent from the tensor's own memory; narrower types are rounded into a copy.
Payload Encoded(absl::Span<const float> elements, v1::Dtype dtype, const TensorView& tensor) {
  if (dtype != v1::DTYPE_FLOAT32) return Narrowed(elements, dtype);
  Payload payload{tensor, SumsOf(elements)};
  payload.data.shape = {static_cast<int64_t>(elements.size())};
  payload.data.data = reinterpret_cast<const std::byte*>(elements.data());
  return payload;
}

// Puts a chunk's bytes together: see the picture in frames.h. A chunk without data has no data field.
Frame ChunkFrame(const v1::Chunk& chunk, const TensorView& data) {
  const uint64_t size = data.bytes();
  std::string fields = chunk.SerializeAsString();
  if (size > 0) {
    fields += kDataTag;
    AppendVarint(size, &fields);
  }
  Frame frame;
  frame.head += kChunkTag;
  AppendVarint(fields.size() + size, &frame.head);
  frame.head += fields;
  if (size > 0) {
    frame.tail = data.data;
    frame.tail_size = size;
    frame.owner = data.owner;
  }
  return frame;
}

}  // namespace

CaptureFrames::CaptureFrames(const ExtractCall& call, size_t capture_index, TensorView values,
                             uint64_t max_message_bytes)
    : call_(call),
      capture_(call.plan.captures[capture_index]),
      format_(call.formats[capture_index]),
      capture_index_(capture_index),
      values_(std::move(values)),
      max_message_bytes_(max_message_bytes) {}

std::optional<Frame> CaptureFrames::Next() {
  const size_t tensors = format_.one_tensor() ? 1 : capture_.runs.size();
  if (tensor_ == tensors) return std::nullopt;
  const bool elements = format_.form == Form::kPerRun || format_.form == Form::kRows;
  return elements && format_.view == v1::VIEW_BYTES ? NextChunk() : NextValues();
}

TensorView CaptureFrames::CurrentTensor() const {
  TensorView tensor = values_;
  tensor.data += static_cast<size_t>(first_element_) * sizeof(float);
  tensor.shape = capture_.TensorShape(tensor_);
  if (format_.form == Form::kRows) {
    const bool reduced = capture_.reduction != Reduction::kNone;
    tensor.shape[0] = reduced ? static_cast<int64_t>(capture_.runs.size()) : capture_.row_count;
  }
  return tensor;
}

void CaptureFrames::FinishTensor(const TensorView& tensor) {
  first_row_ += capture_.rows_per_run[tensor_];
  first_element_ += static_cast<int64_t>(tensor.elements());
  ++tensor_;
  offset_ = 0;
}

Frame CaptureFrames::NextChunk() {
  const TensorView tensor = CurrentTensor();
  v1::Chunk chunk;
  chunk.set_tensor(format_.first_tensor + static_cast<uint32_t>(tensor_));
  chunk.set_offset(offset_);
  if (offset_ == 0) FillTensorInfo(call_, capture_index_, tensor_, tensor.shape, chunk.mutable_info());

  const uint64_t taken = chunk.ByteSizeLong() + kChunkOverhead;
  const uint64_t budget = max_message_bytes_ > taken ? max_message_bytes_ - taken : 0;
  const uint64_t element_bytes = format_.dtype == v1::DTYPE_FLOAT32 ? 4 : 2;
  const uint64_t sent = offset_ / element_bytes;
  const auto row = static_cast<uint64_t>(tensor.shape.back());
  const uint64_t size = PieceElements(sent, row, tensor.elements(), budget, element_bytes);
  const absl::Span<const float> piece = tensor.floats().subspan(sent, size);
  const Payload payload = Encoded(piece, format_.dtype, tensor);
  nonfinite_ += payload.sums.nonfinite;
  chunk.set_crc32(payload.sums.crc32);

  offset_ += payload.data.bytes();
  if (sent + size == tensor.elements()) FinishTensor(tensor);
  return ChunkFrame(chunk, payload.data);
}

Frame CaptureFrames::NextValues() {
  const TensorView tensor = CurrentTensor();
  std::vector<int64_t> shape = tensor.shape;
  if (format_.form == Form::kScores) shape.pop_back();  // a token's or a metric's numbers are one score
  v1::ExtractResponse message;
  v1::Values* values = message.mutable_values();
  values->set_tensor(format_.first_tensor + static_cast<uint32_t>(tensor_));
  FillTensorInfo(call_, capture_index_, tensor_, shape, values->mutable_info());
  if (format_.form == Form::kComparison) {
    const absl::Span<const float> both = values_.floats();
    const absl::Span<const float> baseline = both.subspan(tensor.elements());
    FillComparison(tensor.floats(), baseline, values->mutable_comparison());
    nonfinite_ += CountNonfinite(baseline);
  } else if (format_.form == Form::kScores) {
    FillScores(call_, capture_index_, tensor_, first_row_, tensor.floats(), values);
  } else {
    FillView(format_, tensor, values);
  }
  nonfinite_ += CountNonfinite(tensor.floats());

  FinishTensor(tensor);
  Frame frame;
  frame.head = message.SerializeAsString();
  return frame;
}

}  // namespace hydrophone
