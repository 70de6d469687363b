// What a bulk job is, kept in its directory, so that a rerun goes on with the same job alone.
#ifndef HYDROPHONE_CLIENT_CPP_BULK_JOB_H_
#define HYDROPHONE_CLIENT_CPP_BULK_JOB_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// As hp.bulk of the Python client writes and reads it: either goes on with what the other began.
struct Job {
  v1::ExtractRequest request;  // for one text, whichever it is
  std::string corpus_sha256;
  size_t texts = 0;
  size_t texts_per_shard = 0;
  std::optional<uint32_t> shuffle;  // the seed
  v1::Provenance model;             // its name, digests and numerics, of which the shards' bits are made

  size_t shards() const { return (texts + texts_per_shard - 1) / texts_per_shard; }

  // The texts' numbers in the order of the shards.
  std::vector<size_t> Order() const;

  // The order of a shard's rows; nothing when they stay as they come.
  std::optional<std::vector<size_t>> RowsOrder(size_t shard, size_t rows) const;

  // Writes job.json into a directory without one. INVALID_ARGUMENT when the directory holds another job, or shards and
  // no job; FAILED_PRECONDITION when it holds this one of another model.
  absl::Status Begin(const std::string& directory) const;

  // FAILED_PRECONDITION for an answer of another model than the job's.
  absl::Status Check(const v1::Provenance& answer, const std::string& directory) const;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_BULK_JOB_H_
