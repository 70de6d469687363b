// The numbers that the server counts about itself, as the layers that count them see it; server/obs implements it.
#ifndef HYDROPHONE_SERVER_CORE_METRICS_H_
#define HYDROPHONE_SERVER_CORE_METRICS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hydrophone {

// Thread-safe; every call is cheap.
class Metrics {
 public:
  virtual ~Metrics() = default;

  // A call of `method` ("Extract") began; it ended with the gRPC status `code` ("OK") after `elapsed`.
  virtual void RpcStarted(absl::string_view method) = 0;
  virtual void RpcHandled(absl::string_view method, absl::string_view code, absl::Duration elapsed) = 0;
  virtual void RpcMessageReceived(absl::string_view method) = 0;
  virtual void RpcMessageSent(absl::string_view method, uint64_t bytes) = 0;

  // The queue now holds `requests` requests; `bytes` bytes of the response budget are taken.
  virtual void QueueDepth(int64_t requests) = 0;
  virtual void BudgetUsed(uint64_t bytes) = 0;

  // A batch of `requests` requests and `tokens` tokens was computed in `elapsed`.
  virtual void BatchDone(int64_t requests, int64_t tokens, absl::Duration elapsed) = 0;
  // A request waited for the model for `elapsed`.
  virtual void QueueWait(absl::Duration elapsed) = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_METRICS_H_
