// An Extract stream's messages in their order, made as the captures come.
#ifndef HYDROPHONE_SERVER_RPC_EXTRACT_FRAMES_H_
#define HYDROPHONE_SERVER_RPC_EXTRACT_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "server/answer/frames.h"
#include "server/core/tensor.h"
#include "server/plan/inputs/extract_call.h"
#include "server/sched/scheduler.h"

namespace hydrophone {

// Header, an InputInfo an input, the captures' messages, trailer.
//
// clang-format off
//   engine thread ─ Add, Add, ..., End ─► outbox [captures not yet sent] ─ Next ─► one frame at a time (pool)
// clang-format on
//
// Captures wait as they are and are encoded when their turn comes: the outbox holds the job's share of the response
// budget and nothing more. Add, End and Abandon may be called from any thread; Next from one at a time.
class ExtractFrames {
 public:
  // What `context` refers to outlives this.
  ExtractFrames(ExtractCall call, const RequestContext& context);

  const ExtractCall& call() const { return call_; }

  void Add(size_t capture_index, TensorView rows);
  // No more captures come. If not OK, those that wait are dropped: the stream is cut here.
  void End(absl::Status status, JobTimings timings);
  // Nobody will ask for frames any more: drops all captures, now and later.
  void Abandon();

  struct Step {
    std::optional<Frame> frame;          // the next message, or
    std::optional<absl::Status> finish;  // what to finish the stream with, or neither: ask again after Add or End
  };
  Step Next();

 private:
  struct Captured {
    size_t index;
    TensorView rows;
  };

  // The next capture that waits, if any.
  std::optional<Captured> Take();
  // After the last capture that has come.
  Step AfterCaptures();

  const ExtractCall call_;
  const RequestContext& context_;

  // Next's own.
  bool header_sent_ = false;
  uint32_t inputs_sent_ = 0;
  std::optional<CaptureFrames> current_;
  uint64_t nonfinite_ = 0;
  bool trailer_sent_ = false;

  std::mutex mutex_;  // guards what follows
  std::deque<Captured> outbox_;
  bool abandoned_ = false;
  std::optional<absl::Status> ended_;
  JobTimings timings_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_EXTRACT_FRAMES_H_
