// Puts an Extract stream's messages together, and notices when the stream is damaged or cut.
#ifndef HYDROPHONE_CLIENT_CPP_STREAM_ASSEMBLER_H_
#define HYDROPHONE_CLIENT_CPP_STREAM_ASSEMBLER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "absl/status/status.h"
#include "client/cpp/chunk_message.h"
#include "client/cpp/received.h"
#include "client/cpp/tensor_bytes.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// Checks, as the messages arrive: the order Header, InputInfos, captures, Trailer; each chunk's
// CRC-32 and place; each tensor's size against its shape; the counts of header, stream and trailer
// against each other. A mismatch is DATA_LOSS with what was got and what was expected. Knows nothing of gRPC. Not
// thread-safe.
//
// A chunk's data is copied once, from the message into the tensor's own memory, and its checksum computed on the way.
class StreamAssembler {
 public:
  // `sink` outlives this. `validate_only`: as in the request; the stream then ends after the
  // inputs.
  StreamAssembler(bool validate_only, ExtractSink* sink) : validate_only_(validate_only), sink_(*sink) {}

  // Takes the next message, serialized. After an error, neither Add nor Finish may be called. RESOURCE_EXHAUSTED when
  // there is no memory for a tensor.
  absl::Status Add(MessagePieces message);

  // To be called when the stream has ended without an error: DATA_LOSS when it was cut.
  absl::Status Finish() const;

  // Whether the header has come: the server has accepted the request, and the sink has been given
  // something.
  bool started() const { return header_.has_value(); }

 private:
  absl::Status AddMessage(v1::ExtractResponse message);
  absl::Status AddHeader(const v1::Header& header);
  absl::Status AddInput(v1::InputInfo* input);
  // Takes `data` in place of the chunk's own data.
  absl::Status AddChunk(v1::Chunk* chunk, MessagePieces data);
  absl::Status AddValues(v1::Values* values);
  absl::Status AddTrailer(const v1::Trailer& trailer);
  absl::Status CheckCaptureMayCome(uint32_t tensor) const;
  absl::Status StartTensor(v1::Chunk* chunk);
  absl::Status CompleteTensor(uint32_t tensor);

  // A tensor whose chunks are coming.
  struct Partial {
    v1::TensorInfo info;
    TensorBytesBuilder bytes;
    uint64_t size = 0;  // of the whole tensor, in bytes
  };

  // Appends a chunk's data and verifies its checksum.
  static absl::Status AppendData(const v1::Chunk& chunk, MessagePieces data, uint64_t data_size, Partial* partial);

  const bool validate_only_;
  ExtractSink& sink_;
  std::optional<v1::Header> header_;
  uint32_t inputs_ = 0;           // received
  uint64_t data_bytes_ = 0;       // received
  uint64_t announced_bytes_ = 0;  // of the tensors begun
  std::map<uint32_t, Partial> partial_;
  std::set<uint32_t> complete_;
  bool finished_ = false;  // the trailer has come
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_STREAM_ASSEMBLER_H_
