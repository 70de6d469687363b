// Puts a stream's chunks together into tensors, and notices when they are damaged or not all there.
#ifndef HYDROPHONE_CLIENT_CPP_TENSOR_ASSEMBLER_H_
#define HYDROPHONE_CLIENT_CPP_TENSOR_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/chunk_message.h"
#include "client/cpp/received.h"
#include "client/cpp/tensor_bytes.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// DATA_LOSS: "damaged stream: ...".
absl::Status Misplaced(const char* what);
absl::Status Mismatch(const std::string& what, uint64_t got, uint64_t expected);

// Checks each chunk's CRC-32 and place, each tensor's size against its shape, and how many tensors and bytes there are
// against what was announced. A mismatch is DATA_LOSS with what was got and what was expected. Not thread-safe.
//
// A chunk's data is copied once, from the message into the tensor's own memory, and its checksum computed on the way.
class TensorAssembler {
 public:
  // How many tensors the stream's header announced, and how many bytes in chunks.
  TensorAssembler(uint32_t tensors, uint64_t data_bytes) : tensors_(tensors), data_bytes_(data_bytes) {}

  // Takes a chunk, `data` in place of its own data. Gives the tensor if the chunk completes it. RESOURCE_EXHAUSTED when
  // there is no memory for it.
  absl::StatusOr<std::optional<ReceivedTensor>> AddChunk(v1::Chunk* chunk, MessagePieces data);

  // Notes a tensor that did not come in chunks.
  absl::Status AddWhole(uint32_t tensor);

  // Checks that everything announced has come, and that the trailer's counts say so too.
  absl::Status Finish(uint32_t trailer_tensors, uint64_t trailer_bytes) const;

  // "2 of 3 tensors and 96 of 128 bytes": how much has come.
  std::string Progress() const;

 private:
  // A tensor whose chunks are coming.
  struct Partial {
    v1::TensorInfo info;
    TensorBytesBuilder bytes;
    uint64_t size = 0;  // of the whole tensor, in bytes
  };

  absl::Status CheckMayCome(uint32_t tensor) const;
  absl::Status StartTensor(v1::Chunk* chunk);
  // Appends a chunk's data and verifies its checksum.
  static absl::Status AppendData(const v1::Chunk& chunk, MessagePieces data, uint64_t data_size, Partial* partial);

  const uint32_t tensors_;
  const uint64_t data_bytes_;
  uint64_t received_bytes_ = 0;
  uint64_t announced_bytes_ = 0;  // of the tensors begun
  std::map<uint32_t, Partial> partial_;
  std::set<uint32_t> complete_;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_TENSOR_ASSEMBLER_H_
