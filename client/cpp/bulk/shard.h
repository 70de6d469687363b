// One shard of a bulk job: the rows of some texts, as arrays, and its file.
#ifndef HYDROPHONE_CLIENT_CPP_BULK_SHARD_H_
#define HYDROPHONE_CLIENT_CPP_BULK_SHARD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/bulk/job.h"
#include "client/cpp/files/array_gatherer.h"
#include "client/cpp/files/spool.h"
#include "client/cpp/received.h"
#include "nlohmann/json.hpp"

namespace hydrophone::client {

// Takes the answers for a shard's texts and writes
//
//   NAME         [rows, ...]   an array for each point, by its canonical name
//   "token_ids"  int64 [rows]  the token of each row,
//   "positions"  int64 [rows]  its position in its text,
//   "texts"      int64 [rows]  and the text's number in the corpus
//
// with the metadata "hydrophone.shard", {"rows": ROWS, "skipped": {TEXT: WHY}, "texts": TEXTS}. The bytes depend on the
// job and the values alone.
class Shard : public ExtractSink {
 public:
  // `texts` are the shard's, by their numbers. All four outlive this.
  Shard(const Job& job, std::string directory, const std::vector<size_t>& texts, Spool* spool);

  // FAILED_PRECONDITION for an answer of another model than the job's.
  absl::Status OnHeader(const v1::Header& header) override;
  absl::Status OnInput(v1::InputInfo input) override;
  absl::Status OnTensor(ReceivedTensor tensor) override;
  absl::Status OnValues(v1::Values values) override;
  absl::Status OnTrailer(const v1::Trailer& trailer) override;

  // INVALID_ARGUMENT when a point has other rows than the texts' positions that the job selects.
  absl::Status Write(const std::string& path, size_t shard);

  // Of all texts, after the answers.
  uint64_t tokens() const { return tokens_; }
  uint64_t bytes() const { return arrays_.received_bytes(); }

 private:
  absl::Status CheckRows(const ArrayGatherer::Gathered& gathered) const;
  nlohmann::json Description() const;

  const Job& job_;
  const std::string directory_;
  const std::vector<size_t>& texts_;
  Spool& spool_;
  ArrayGatherer arrays_;
  std::vector<int64_t> rows_of_;  // by text of the shard
  std::map<std::string, std::string> skipped_;
  // By row.
  std::vector<int64_t> token_ids_;
  std::vector<int64_t> positions_;
  std::vector<int64_t> text_numbers_;
  uint64_t tokens_ = 0;
};

// What a shard's file says of itself.
struct ShardHeader {
  nlohmann::json arrays;       // {NAME: {"dtype": DTYPE, "row": [dimensions of a row]}}
  nlohmann::json description;  // "hydrophone.shard"
};

// DATA_LOSS when the file is no shard.
absl::StatusOr<ShardHeader> ReadShardHeader(const std::string& path);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_BULK_SHARD_H_
