// Chunks and values of one capture.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/answer/element_sums.h"
#include "server/answer/frames.h"
#include "server/answer/values.h"

namespace hydrophone {
namespace {

using Form = CaptureFormat::Form;

bool AreAllRuns(const std::vector<uint32_t>& runs, size_t all) {
  if (runs.size() != all) return false;
  for (size_t i = 0; i < all; ++i) {
    if (runs[i] != i) return false;
  }
  return true;
}

// The runs whose rows a tensor holds, and how many of each.
void FillRows(const ExtractCall& call, const Capture& capture, const CaptureFormat::Whole* whole,
              v1::TensorInfo* info) {
  const std::vector<uint32_t>& runs = whole != nullptr ? whole->runs : capture.runs;
  if (!AreAllRuns(runs, call.plan.runs.size())) {
    for (uint32_t run : runs) info->add_runs(call.run_numbers[run]);
  }
  for (uint32_t rows : whole != nullptr ? whole->rows_per_run : capture.rows_per_run)
    info->add_rows(capture.reduction == Reduction::kNone ? rows : 1);
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
    FillRows(call, capture, format.whole.get(), info);
  } else {
    info->add_runs(call.run_numbers[capture.runs[tensor]]);
  }
  if (format.form == Form::kComparison) info->set_baseline(call.run_numbers[capture.runs[1]]);
  info->set_dtype(format.dtype);
  info->set_lens_logits(capture.readout != nullptr && !capture.readout->scores());
  for (int64_t dimension : shape) info->add_shape(static_cast<uint32_t>(dimension));
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
  if (tensor_ == tensors || (format_.continues && capture_.row_count == 0)) return std::nullopt;
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

std::vector<int64_t> CaptureFrames::WholeShape(std::vector<int64_t> shape) const {
  if (format_.whole != nullptr) shape[0] = format_.whole->rows;
  return shape;
}

Frame CaptureFrames::NextChunk() {
  const TensorView tensor = CurrentTensor();
  const ChunkedTensor chunked{tensor.elements(), static_cast<uint64_t>(tensor.shape.back()), format_.dtype};
  const uint64_t before = static_cast<uint64_t>(format_.first_row * capture_.RowElements()) * chunked.element_bytes();
  v1::Chunk chunk;
  chunk.set_tensor(format_.first_tensor + static_cast<uint32_t>(tensor_));
  chunk.set_offset(before + offset_);
  if (offset_ == 0 && !format_.continues) {
    FillTensorInfo(call_, capture_index_, tensor_, WholeShape(tensor.shape), chunk.mutable_info());
  }

  const uint64_t sent = offset_ / chunked.element_bytes();
  const uint64_t size = NextPiece(chunked, sent, chunk, max_message_bytes_);
  EncodedChunk encoded =
      EncodeChunk(std::move(chunk), tensor.floats().subspan(sent, size), format_.dtype, tensor.owner);
  nonfinite_ += encoded.nonfinite;
  offset_ += encoded.bytes;
  if (sent + size == chunked.elements) FinishTensor(tensor);
  return std::move(encoded.frame);
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
