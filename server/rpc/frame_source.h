// What makes the messages of a FrameStream.
#ifndef HYDROPHONE_SERVER_RPC_FRAME_SOURCE_H_
#define HYDROPHONE_SERVER_RPC_FRAME_SOURCE_H_

#include <optional>

#include "absl/status/status.h"
#include "server/answer/chunks.h"

namespace hydrophone {

class FrameSource {
 public:
  virtual ~FrameSource() = default;

  struct Step {
    std::optional<Frame> frame;          // the next message, or
    std::optional<absl::Status> finish;  // what to finish the stream with, or neither: ask again after a Wake
  };
  // Called on one thread at a time.
  virtual Step Next() = 0;

  // Next will not be called any more: drops what waits to be sent. Called on any thread, also during Next.
  virtual void Abandon() = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_FRAME_SOURCE_H_
