// From Extract's answers to the arrays of a file: one array a point, the rows of all inputs in
// input order.
#ifndef HYDROPHONE_CLIENT_CPP_FILES_ARRAY_GATHERER_H_
#define HYDROPHONE_CLIENT_CPP_FILES_ARRAY_GATHERER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/files/array_file.h"
#include "client/cpp/files/spool.h"
#include "client/cpp/received.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// A sink for ExtractAll that puts bytes into a spool as they come: its memory does not grow with
// them.
//
// LAYOUT_ROWS: an array is named as its point ("blocks.10.hook_attn_out", with ".lens_logits" when it holds the logits
// that a lens reads there) and a further one, "rows" (int64, one element a run, 0 for one whose input was skipped),
// tells how many of its rows are each run's; when the points differ in that, each has its own "NAME.rows".
// LAYOUT_PER_RUN: an array a run, named "NAME.runR", or "NAME.inputI" where the request has no runs and each input is
// one. A point that two selectors ask for has
// ".selectorI" appended in the later one.
//
// In either layout two more arrays, int64, hold the inputs' tokens: "token_ids", the ids of all inputs one after the
// other, and "token_counts", one element an input, how many of them are its (0 for one that was skipped). The
// metadata's "hydrophone.pieces" has what each of these ids is called, so that in Python the tokens of input i are
//
//   ids = numpy.split(token_ids, numpy.cumsum(token_counts))[i]
//   pieces = [json.loads(metadata["hydrophone.pieces"])[str(id)] for id in ids]
class ArrayGatherer : public ExtractSink {
 public:
  // An array, and in LAYOUT_ROWS how many of its rows are each run's, by run; shorter than there are runs when the last
  // ones have none.
  struct Gathered {
    StoredArray array;
    std::vector<int64_t> rows;
  };

  // `spool` outlives this.
  ArrayGatherer(const v1::ExtractRequest& request, Spool* spool)
      : per_run_(request.layout() != v1::LAYOUT_ROWS),
        runs_(static_cast<size_t>(request.runs_size())),
        spool_(*spool) {}

  // FAILED_PRECONDITION when a later answer comes from another model, or from a server with other numerics.
  absl::Status OnHeader(const v1::Header& header) override;
  absl::Status OnInput(v1::InputInfo input) override;
  absl::Status OnTensor(ReceivedTensor tensor) override;
  // INVALID_ARGUMENT: an array file holds tensors alone.
  absl::Status OnValues(v1::Values values) override;
  absl::Status OnTrailer(const v1::Trailer& trailer) override;

  // All arrays, in the order in which they came, then the rows. To be called once, at the end.
  absl::StatusOr<std::vector<StoredArray>> Finish();

  // "hydrophone.provenance", "hydrophone.inputs" and "hydrophone.pieces" (an object from each id that "token_ids" holds
  // to the token as the vocabulary writes it), as JSON.
  Metadata DescribeSources() const;

  // The arrays that have come so far, without those of Finish that tell of rows and tokens.
  const std::vector<Gathered>& gathered() const { return gathered_; }

  uint64_t received_bytes() const { return received_bytes_; }
  size_t inputs() const { return inputs_.size(); }
  size_t skipped() const;
  uint64_t nonfinite() const { return nonfinite_; }

 private:
  struct Input {
    std::string key;
    std::string skipped;
    size_t tokens = 0;
    uint32_t truncated_tokens = 0;
  };
  using Key = std::pair<uint32_t, std::string>;  // selector, name

  absl::StatusOr<Gathered*> Find(const ReceivedTensor& tensor);
  std::string UniqueName(const std::string& name, uint32_t selector) const;
  absl::Status CountRows(const v1::TensorInfo& info, Gathered* gathered) const;
  absl::Status AddRowCounts(std::vector<StoredArray>* arrays);
  absl::Status AddTokens(std::vector<StoredArray>* arrays);
  absl::Status Store(const std::string& name, const std::vector<int64_t>& values, std::vector<StoredArray>* arrays);

  // How many runs there are over the inputs that have come so far.
  size_t runs() const { return runs_ > 0 ? runs_ : inputs_.size(); }

  const bool per_run_;
  const size_t runs_;  // of the request; 0: each input is one
  Spool& spool_;
  v1::Provenance provenance_;
  std::vector<std::string> request_digests_;
  std::vector<Input> inputs_;
  std::vector<int64_t> token_ids_;         // of all inputs
  std::map<int64_t, std::string> pieces_;  // of these ids
  std::vector<Gathered> gathered_;
  std::map<Key, size_t> index_;  // into gathered_
  uint64_t received_bytes_ = 0;
  uint64_t nonfinite_ = 0;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_FILES_ARRAY_GATHERER_H_
