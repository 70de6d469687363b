// Every limit that the server enforces on requests. main fills it from flags; GetModel reports it.
#ifndef HYDROPHONE_SERVER_CORE_LIMITS_H_
#define HYDROPHONE_SERVER_CORE_LIMITS_H_

#include <cstdint>

namespace hydrophone {

struct Limits {
  uint32_t max_inputs_per_request = 4096;
  uint32_t max_tokens_per_request = 16384;          // tokens of all runs
  uint64_t max_response_bytes = uint64_t{1} << 30;  // captured data of one request, bytes
  uint64_t max_request_bytes = uint64_t{4} << 20;   // one request message, bytes
  uint32_t max_request_elements = 1 << 20;          // messages and list elements, of all depths, in one request
  // Tensors that one request may ask for; in LAYOUT_ROWS each run's part counts.
  uint32_t max_tensors_per_request = 1 << 20;
  uint32_t max_hooks_per_request = 4096;             // hook points and hooks of one request
  uint64_t max_message_bytes = (uint64_t{1} << 20);  // one message of a stream, bytes
  uint32_t max_queued_requests = 256;                // requests waiting for the model
  uint32_t max_batch_tokens = 16384;                 // tokens of runs that must be computed together
  uint32_t slice_tokens = 1024;  // rows from which on a batch is full; larger requests are computed in such slices
  uint32_t short_tokens = 128;   // most rows of a short slice, which may overtake a long one between pieces of its work
  uint64_t slice_bytes = uint64_t{128} << 20;          // captured bytes from which on a slice is full
  uint32_t batch_linger_microseconds = 1000;           // longest time that a batch waits for more requests; 0: none
  uint64_t response_budget_bytes = uint64_t{2} << 30;  // captured data that all requests together may hold, bytes
  uint32_t max_queue_seconds = 300;                    // longest time that a request waits for its first turn
  uint32_t max_reference_tokens = 64;                  // tokens, over all inputs, that Verify's reference runs on
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_LIMITS_H_
