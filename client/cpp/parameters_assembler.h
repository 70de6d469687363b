// Puts a GetParameters stream's messages together, and notices when the stream is damaged or cut.
#ifndef HYDROPHONE_CLIENT_CPP_PARAMETERS_ASSEMBLER_H_
#define HYDROPHONE_CLIENT_CPP_PARAMETERS_ASSEMBLER_H_

#include <optional>

#include "absl/status/status.h"
#include "client/cpp/chunk_message.h"
#include "client/cpp/received.h"
#include "client/cpp/tensor_assembler.h"
#include "hydrophone/v1/parameters.pb.h"

namespace hydrophone::client {

// Checks, as the messages arrive: the order header, tensors, trailer; the tensors as TensorAssembler does; the counts.
// Errors as StreamAssembler's. Not thread-safe.
class ParametersAssembler {
 public:
  // `sink` outlives this. `list_only`: as in the request; no tensors come then.
  ParametersAssembler(bool list_only, ParametersSink* sink) : list_only_(list_only), sink_(*sink) {}

  // As StreamAssembler's.
  absl::Status Add(MessagePieces message);
  absl::Status Finish() const;
  bool started() const { return tensors_.has_value(); }

 private:
  absl::Status AddChunk(v1::Chunk* chunk, MessagePieces data);
  absl::Status AddHeader(const v1::ParametersHeader& header);
  absl::Status AddTrailer(const v1::ParametersTrailer& trailer);

  const bool list_only_;
  ParametersSink& sink_;
  std::optional<TensorAssembler> tensors_;  // made with the header
  bool finished_ = false;                   // the trailer has come
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_PARAMETERS_ASSEMBLER_H_
