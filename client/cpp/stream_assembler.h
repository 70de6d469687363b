// Puts an Extract stream's messages together, and notices when the stream is damaged or cut.
#ifndef HYDROPHONE_CLIENT_CPP_STREAM_ASSEMBLER_H_
#define HYDROPHONE_CLIENT_CPP_STREAM_ASSEMBLER_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "client/cpp/chunk_message.h"
#include "client/cpp/received.h"
#include "client/cpp/tensor_assembler.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// Checks, as the messages arrive: the order Header, InputInfos, captures, Trailer; the tensors as TensorAssembler does;
// the counts of header, stream and trailer against each other. A mismatch is DATA_LOSS with what was got and what was
// expected. Knows nothing of gRPC. Not thread-safe.
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
  absl::Status CheckCaptureMayCome() const;

  const bool validate_only_;
  ExtractSink& sink_;
  std::optional<v1::Header> header_;
  uint32_t inputs_ = 0;                     // received
  std::optional<TensorAssembler> tensors_;  // made with the header
  bool finished_ = false;                   // the trailer has come
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_STREAM_ASSEMBLER_H_
