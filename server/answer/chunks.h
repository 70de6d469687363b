// Pieces of tensors as messages. A chunk's message on the wire (protobuf's encoding; field 15 is the last in both
// messages, and has the same number in every response that carries chunks):
//
// clang-format off
//   Response.chunk tag │ length │ Chunk fields 1-4 │ Chunk.data tag │ length │ data
//   └──────────────────────────────── head ──────────────────────────────────┘ └ tail ┘
// clang-format on
#ifndef HYDROPHONE_SERVER_ANSWER_CHUNKS_H_
#define HYDROPHONE_SERVER_ANSWER_CHUNKS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/types/span.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/core/tensor.h"

namespace hydrophone {

// One serialized message: head, then tail. `owner` keeps the tail's memory; null when there is no tail.
struct Frame {
  std::string head;
  const std::byte* tail = nullptr;
  size_t tail_size = 0;
  std::shared_ptr<const void> owner;

  size_t size() const { return head.size() + tail_size; }
};

// A tensor that is being sent in chunks.
struct ChunkedTensor {
  uint64_t elements = 0;  // of the whole tensor
  uint64_t row = 1;       // elements of a row: chunks hold whole rows, or a part of one that does not fit
  v1::Dtype dtype = v1::DTYPE_FLOAT32;

  uint64_t element_bytes() const { return dtype == v1::DTYPE_FLOAT32 ? 4 : 2; }
};

// How many of the tensor's elements come next, after the `sent` ones, in a message of at most `max_message_bytes` with
// the chunk's fields as they are: whole rows, as many as fit, or a part of one that does not.
uint64_t NextPiece(const ChunkedTensor& tensor, uint64_t sent, const v1::Chunk& chunk, uint64_t max_message_bytes);

// A piece as a message, and what is counted of it.
struct EncodedChunk {
  Frame frame;
  uint64_t bytes = 0;      // of data
  uint64_t nonfinite = 0;  // infinite or NaN values, before any conversion
};

// Adds the checksum to the chunk, which has its other fields but data, and puts it together with the elements. Float32
// elements are sent from their own memory, which `owner` keeps; narrower types are rounded into a copy.
EncodedChunk EncodeChunk(v1::Chunk chunk, absl::Span<const float> elements, v1::Dtype dtype,
                         std::shared_ptr<const void> owner);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_CHUNKS_H_
