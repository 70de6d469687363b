// Reads what the benchmark asks for from one line of JSON.
#ifndef HYDROPHONE_TESTS_BENCH_CLIENT_REQUESTS_H_
#define HYDROPHONE_TESTS_BENCH_CLIENT_REQUESTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::bench {

// How the requests reach a server.
enum class Way {
  kClient,  // the C++ client: every message parsed, every checksum verified, whole tensors handed over
  kBytes,   // the same call, its messages received and counted, but not looked into
  kPeer,    // another server's streaming method, which takes the request's JSON: received and counted
};

// Calls made by some callers at once, each beginning its next call when the one before has ended (a closed loop).
struct Command {
  Way way = Way::kClient;
  std::string method;  // the full name that kBytes and kPeer call
  size_t callers = 1;
  size_t calls = 1;  // of all callers together; call i makes request i modulo the number of requests

  // Whether tensors are kept until the call has ended, as a caller that uses them does; otherwise each is dropped when
  // it has arrived.
  bool keep_answers = true;
  std::vector<v1::ExtractRequest> requests;
  std::vector<std::string> bodies;  // the messages that kBytes and kPeer send, one for each request
};

// Reads
//   {"way": "client", "callers": 1, "calls": 3, "keep": true, "method": "/package.Service/Method", "requests": [
//     {"inputs": [[15496, 995]], "hooks": [{"point": "mlp.c_proj", "layers": [6], "positions": "-8:"}], "rows": true}]}
// where layers, positions, rows, keep and method may be left out. INVALID_ARGUMENT for anything else.
absl::StatusOr<Command> ReadCommand(const std::string& line);

}  // namespace hydrophone::bench

#endif  // HYDROPHONE_TESTS_BENCH_CLIENT_REQUESTS_H_
