// The messages of a GetParameters stream as bytes.
#ifndef HYDROPHONE_SERVER_ANSWER_PARAMETER_FRAMES_H_
#define HYDROPHONE_SERVER_ANSWER_PARAMETER_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/answer/chunks.h"
#include "server/plan/parameters_call.h"

namespace hydrophone {

// Gives the header, the chunks and the trailer, one at a time, so that a stream encodes as fast as it sends. Whole
// float32 parameters are sent from their own memory. Rows, and narrower types, are gathered a chunk at a time: a stream
// holds copies of no more than the messages that it sends. Not thread-safe.
class ParameterFrames {
 public:
  // What `context` refers to outlives this.
  ParameterFrames(ParametersCall call, const RequestContext& context);

  // The next message; nullopt after the trailer.
  std::optional<Frame> Next();

 private:
  Frame Header() const;
  Frame NextChunk();
  Frame Trailer() const;
  // The elements [first, first + count) of what is sent of the parameter, and what keeps them.
  TensorView Piece(const AskedParameter& asked, uint64_t first, uint64_t count) const;

  const ParametersCall call_;
  const RequestContext& context_;
  bool header_sent_ = false;
  bool trailer_sent_ = false;
  size_t tensor_ = 0;       // of call_.tensors: the one being sent
  uint64_t sent_ = 0;       // elements of it
  uint64_t offset_ = 0;     // bytes of it
  uint64_t nonfinite_ = 0;  // of all so far
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_PARAMETER_FRAMES_H_
