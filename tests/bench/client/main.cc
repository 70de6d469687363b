// hydrophone_bench_client HOST:PORT: makes the calls that each line of its input describes (requests.h), and answers
// with a line:
//   {"wall": 1.2, "samples": [{"start": 0.0, "first": 0.1, "end": 0.3, "bytes": 4096,
//                              "queue": 0.0, "compute": 0.2, "batch_tokens": 8}]}
// in seconds, "start", "first" and "end" from the command's start; or with {"error": "..."}.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/tensor_memory.h"
#include "tests/bench/client/callers.h"
#include "tests/bench/client/load.h"
#include "tests/bench/client/requests.h"

namespace hydrophone::bench {
namespace {

using nlohmann::json;

constexpr int kUsageError = 2;

json ToJson(const Load& load) {
  auto since_start = [&load](absl::Time time) { return absl::ToDoubleSeconds(time - load.start); };
  json samples = json::array();
  for (const Sample& sample : load.samples) {
    samples.push_back({{"start", since_start(sample.start)},
                       {"first", since_start(sample.first)},
                       {"end", since_start(sample.end)},
                       {"bytes", sample.bytes},
                       {"queue", sample.queue_seconds},
                       {"compute", sample.compute_seconds},
                       {"batch_tokens", sample.batch_tokens}});
  }
  return {{"wall", since_start(load.end)}, {"samples", std::move(samples)}};
}

absl::StatusOr<json> Answer(const std::string& line, Caller& through_client, Caller& bare) {
  absl::StatusOr<Command> command = ReadCommand(line);
  if (!command.ok()) return command.status();
  absl::StatusOr<Load> load = RunLoad(*command, command->way == Way::kClient ? through_client : bare);
  if (!load.ok()) return load.status();
  return ToJson(*load);
}

int Main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: hydrophone_bench_client HOST:PORT\n";
    return kUsageError;
  }
  client::KeepFreedMemory();  // the command line calls it too
  const std::unique_ptr<Caller> through_client = MakeClientCaller(argv[1]), bare = MakeBytesCaller(argv[1]);
  std::string line;
  while (std::getline(std::cin, line)) {
    absl::StatusOr<json> answer = Answer(line, *through_client, *bare);
    if (!answer.ok()) answer = json{{"error", answer.status().ToString()}};
    std::cout << answer->dump() << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace hydrophone::bench

int main(int argc, char** argv) { return hydrophone::bench::Main(argc, argv); }
