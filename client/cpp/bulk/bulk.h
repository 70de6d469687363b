// A corpus's values as a directory of shards, made by a job that may be killed and goes on.
#ifndef HYDROPHONE_CLIENT_CPP_BULK_BULK_H_
#define HYDROPHONE_CLIENT_CPP_BULK_BULK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cpp/bulk/job.h"
#include "client/cpp/received.h"

namespace hydrophone::client {

// Makes the request for these texts of the corpus, one run of each, and gives the answers to the sink. Called on
// several threads.
using AskTexts = std::function<absl::Status(const std::vector<size_t>& texts, ExtractSink* sink)>;

struct BulkOptions {
  size_t shards_at_once = 3;                     // each asked for on a thread of its own
  absl::Duration patience = absl::Seconds(600);  // how long is asked again while no server answers
  std::ostream* progress = nullptr;              // lines of a Meter; outlives the job
  std::function<absl::Time()> now = absl::Now;   // of the progress and of the patience
  std::function<void(absl::Duration)> sleep = absl::SleepFor;
};

// A finished directory.
struct BulkDone {
  size_t shards = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;                          // of the files
  std::map<std::string, std::string> skipped;  // why, by the text's number
};

// Writes the shards that `directory` lacks ("shard-00000.safetensors" and so on; see shard.h), then index.json, which
// says what each of them holds. `directory` is made when it is not there. Whatever ends the job, what is written stays,
// and the same job, called again, goes on; the bytes are those of an undisturbed job.
//
// While one process works in a directory, another one gets INVALID_ARGUMENT; the rest as Job::Begin, Job::Check and
// `ask`. An error of `ask` that may be gone a minute later (no server, a cut stream) is met by asking again.
absl::StatusOr<BulkDone> MakeShards(const Job& job, const std::string& directory, const AskTexts& ask,
                                    const BulkOptions& options);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_BULK_BULK_H_
