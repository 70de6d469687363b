// The messages of an Extract stream as frames.
#ifndef HYDROPHONE_SERVER_ANSWER_FRAMES_H_
#define HYDROPHONE_SERVER_ANSWER_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/answer/chunks.h"
#include "server/core/tensor.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// Fill in where numbers come from, and what the server understood of an input. Verify's answers use them too.
void FillProvenance(const std::string& request_sha256, const RequestContext& context, v1::Provenance* provenance);
void FillInputInfo(const PlannedInput& input, uint32_t index, const Tokenizer& tokenizer, v1::InputInfo* info);

Frame EncodeHeader(const ExtractCall& call, const RequestContext& context);

// `index` counts the request's inputs.
Frame EncodeInputInfo(const ExtractCall& call, uint32_t index, const Tokenizer& tokenizer);

// What the trailer says about the forward pass. A call that is only validated sends zeros.
struct StreamTotals {
  uint64_t nonfinite = 0;
  double queue_seconds = 0;
  double compute_seconds = 0;
  int64_t batch_tokens = 0;
};
Frame EncodeTrailer(const ExtractCall& call, const StreamTotals& totals);

// Turns one capture into frames, one at a time, so that a stream encodes as fast as it sends. Float32 elements are sent
// from the capture's own memory; narrower ones are rounded a chunk at a time. Not thread-safe.
class CaptureFrames {
 public:
  // `call` outlives this. `values`: as CaptureSink::OnCapture gives them.
  CaptureFrames(const ExtractCall& call, size_t capture_index, TensorView values, uint64_t max_message_bytes);

  // The next message; nullopt when the capture is done.
  std::optional<Frame> Next();

  // Infinite or NaN values in the capture, before any conversion; complete once Next gave nullopt.
  uint64_t nonfinite() const { return nonfinite_; }

 private:
  Frame NextChunk();
  Frame NextValues();
  // The elements of the tensor that is being sent; for a comparison, the elements of its run.
  TensorView CurrentTensor() const;
  // The dimensions of the tensor that one of this shape is a piece of, or is.
  std::vector<int64_t> WholeShape(std::vector<int64_t> shape) const;
  void FinishTensor(const TensorView& tensor);

  const ExtractCall& call_;
  const Capture& capture_;
  const CaptureFormat& format_;
  size_t capture_index_;
  TensorView values_;
  uint64_t max_message_bytes_;
  size_t tensor_ = 0;          // among this capture's tensors
  int64_t first_element_ = 0;  // of that tensor, among the capture's
  int64_t first_row_ = 0;      // of that tensor, among the capture's rows
  uint64_t offset_ = 0;        // bytes of that tensor already sent
  uint64_t nonfinite_ = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_FRAMES_H_
