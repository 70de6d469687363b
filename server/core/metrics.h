// The numbers that the server counts about itself, as the layers that count them see it; server/obs implements it.
#ifndef HYDROPHONE_SERVER_CORE_METRICS_H_
#define HYDROPHONE_SERVER_CORE_METRICS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hydrophone {

// Where a call was when it was given up, because its caller left or its time was over.
enum class CallStage : uint8_t {
  kQueued,     // it waited for a worker or for the model: nothing was computed in vain
  kComputing,  // a worker or the model was at it
  kSending,    // all was computed
};

// Which turn a request took in the model's queue.
enum class WorkClass : uint8_t {
  kShort,  // few tokens: may overtake
  kBulk,   // many tokens: goes in slices
};

// Thread-safe; every call is cheap.
class Metrics {
 public:
  virtual ~Metrics() = default;

  // A call of `method` ("Extract") began; it ended with the gRPC status `code` ("OK") after `elapsed`.
  virtual void RpcStarted(absl::string_view method) = 0;
  virtual void RpcHandled(absl::string_view method, absl::string_view code, absl::Duration elapsed) = 0;
  virtual void RpcMessageReceived(absl::string_view method) = 0;
  virtual void RpcMessageSent(absl::string_view method, uint64_t bytes) = 0;

  // A call was refused for this reason, one of RefusalReasons() (core/errors.h).
  virtual void CallRefused(absl::string_view reason) = 0;
  // A call ended with CANCELLED or DEADLINE_EXCEEDED, at this stage.
  virtual void CallGivenUp(CallStage stage) = 0;
  // A call's first tensor was computed, `elapsed` after its request had arrived.
  virtual void FirstTensor(absl::Duration elapsed) = 0;
  // A message waited long for its caller to read.
  virtual void WriteStalled() = 0;
  // The server stops: it refuses new calls from now on.
  virtual void Draining() = 0;

  // The queue now holds `requests` requests; `bytes` bytes of the response budget are taken.
  virtual void QueueDepth(int64_t requests) = 0;
  virtual void BudgetUsed(uint64_t bytes) = 0;

  // A batch of `requests` requests and `tokens` tokens was computed in `elapsed`.
  virtual void BatchDone(int64_t requests, int64_t tokens, absl::Duration elapsed) = 0;
  // A request of this class waited for the model for `elapsed`.
  virtual void QueueWait(WorkClass work, absl::Duration elapsed) = 0;
  // So many tokens of a batch needed no computing, since another run begins with the same ones.
  virtual void PrefixTokensSaved(int64_t tokens) = 0;

  // A line of the log was lost: lines came faster than they could be written.
  virtual void LogLineDropped() = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_METRICS_H_
