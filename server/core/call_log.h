// One call as its line in the log tells it, and where these lines go; server/obs implements it.
#ifndef HYDROPHONE_SERVER_CORE_CALL_LOG_H_
#define HYDROPHONE_SERVER_CORE_CALL_LOG_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace hydrophone {

// A call that is over. Holds no text, token id or key of the caller's, but for `message`.
struct CallRecord {
  std::string method;       // "Extract"; of a method that the server lacks, the path as the caller wrote it
  std::string caller;       // Caller::name; may hold anything
  std::string request_id;   // the caller's, or one that was made here; printable ASCII without spaces
  std::string traceparent;  // W3C Trace Context's, well-formed; empty when the caller sent none
  int64_t inputs = 0;
  int64_t tokens = 0;            // of all runs that the request asked for; 0 when it was refused before they were known
  uint64_t request_bytes = 0;    // of messages as they came, packed or not
  uint64_t response_bytes = 0;   // of messages handed to gRPC
  absl::Duration queued;         // in the model's queue, over all jobs of the call
  absl::Duration computed;       // in the model, over all jobs of the call
  std::string code = "Unknown";  // as grpc_server_handled_total spells it
  std::string reason;            // ErrorInfo's; empty for OK
  std::string message;           // the status's, which may quote the request: for debug level alone
  absl::Time ended;
  absl::Duration elapsed;  // from the request's arrival to the end
};

class CallLog {
 public:
  virtual ~CallLog() = default;

  // Told once of each call. Thread-safe; returns at once, whatever becomes of the line.
  virtual void CallEnded(CallRecord call) = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_CALL_LOG_H_
