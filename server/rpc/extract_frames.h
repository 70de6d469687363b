// An Extract stream's messages, made in their order as the captures come.
#ifndef HYDROPHONE_SERVER_RPC_EXTRACT_FRAMES_H_
#define HYDROPHONE_SERVER_RPC_EXTRACT_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "server/answer/frames.h"
#include "server/base/mutex.h"
#include "server/core/tensor.h"
#include "server/plan/inputs/extract_call.h"
#include "server/rpc/frame_source.h"
#include "server/sched/job.h"

namespace hydrophone {

// The order is: header, one InputInfo for each input, the captures' messages, trailer.
//
// clang-format off
//   engine thread ─ Add, Add, ..., End ─► outbox [captures not yet sent] ─ Next ─► one frame at a time (pool)
// clang-format on
//
// A capture is encoded when its turn comes, so that the outbox holds the job's share of the response budget and nothing
// more. Add, End and Abandon may be called on any thread; Next on one thread at a time.
class ExtractFrames final : public FrameSource {
 public:
  // What `context` refers to outlives this.
  ExtractFrames(ExtractCall call, const RequestContext& context);

  const ExtractCall& call() const { return call_; }

  void Add(size_t capture_index, TensorView rows) ABSL_LOCKS_EXCLUDED(mutex_);
  // No more captures come. With an error, the captures that wait are dropped: the stream is cut here.
  void End(absl::Status status, JobTimings timings) ABSL_LOCKS_EXCLUDED(mutex_);
  // Drops all captures, now and later: Next will not be called any more.
  void Abandon() override ABSL_LOCKS_EXCLUDED(mutex_);
  Step Next() override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Captured {
    size_t index;
    TensorView rows;
  };

  // Takes the next capture out of the outbox, if there is one.
  std::optional<Captured> Take() ABSL_LOCKS_EXCLUDED(mutex_);
  // What follows when the outbox was empty.
  Step AfterCaptures() ABSL_LOCKS_EXCLUDED(mutex_);
  // The error that the job ended with, if it did.
  std::optional<absl::Status> Failure() ABSL_LOCKS_EXCLUDED(mutex_);

  const ExtractCall call_;
  const RequestContext& context_;

  // Used by Next alone.
  bool header_sent_ = false;
  uint32_t inputs_sent_ = 0;
  std::optional<CaptureFrames> current_;
  uint64_t nonfinite_ = 0;
  bool trailer_sent_ = false;

  Mutex mutex_;
  std::deque<Captured> outbox_ ABSL_GUARDED_BY(mutex_);
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mutex_);
  JobTimings timings_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_EXTRACT_FRAMES_H_
