// Puts the tensors of an Extract stream together again, as a client does, so that Verify measures what was sent.
// Separate from the client's code on purpose: the server does not link the client.
#ifndef HYDROPHONE_SERVER_VERIFY_CALL_ASSEMBLER_H_
#define HYDROPHONE_SERVER_VERIFY_CALL_ASSEMBLER_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/answer/frames.h"

namespace hydrophone {

// A tensor that came in chunks.
struct AssembledTensor {
  v1::TensorInfo info;
  std::vector<float> values;  // C order, of info.shape()
};

// Takes a stream's messages in order. Not thread-safe.
class CaptureAssembler {
 public:
  // Takes one message; messages other than chunks are parsed and ignored. INTERNAL when it is no
  // ExtractResponse, when its checksum is wrong, or when it does not continue its tensor.
  absl::Status Add(const Frame& frame);

  // All tensors, by their number in the stream. INTERNAL when one is not complete. The assembler is
  // empty afterwards.
  absl::StatusOr<std::map<uint32_t, AssembledTensor>> Finish();

 private:
  struct Partial {
    AssembledTensor tensor;
    uint64_t received = 0;  // bytes
  };

  std::map<uint32_t, Partial> partials_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_CALL_ASSEMBLER_H_
