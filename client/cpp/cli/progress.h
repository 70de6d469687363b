// Says how far a long extraction is.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_PROGRESS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cpp/client.h"
#include "client/cpp/received.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// Writes nothing for what is done soon; then a line every now and then. Not thread-safe.
class Progress {
 public:
  // `out` outlives this.
  explicit Progress(std::ostream* out, std::function<absl::Time()> now = absl::Now);

  void Inputs(size_t done, size_t total);
  void AddBytes(uint64_t received);

  // The last line, if there were any.
  void End();

 private:
  void Show();
  void Print();

  std::ostream& out_;
  const std::function<absl::Time()> now_;
  absl::Time next_;  // when the next line is due
  bool shown_ = false;
  size_t inputs_ = 0;
  size_t inputs_total_ = 0;
  uint64_t bytes_ = 0;
};

// A sink that hands on what comes, and tells a Progress of its bytes.
class ProgressingSink : public ExtractSink {
 public:
  // Both outlive this.
  ProgressingSink(ExtractSink* sink, Progress* progress) : sink_(*sink), progress_(*progress) {}

  absl::Status OnHeader(const v1::Header& header) override { return sink_.OnHeader(header); }
  absl::Status OnInput(v1::InputInfo input) override { return sink_.OnInput(std::move(input)); }
  absl::Status OnTensor(ReceivedTensor tensor) override;
  absl::Status OnValues(v1::Values values) override;
  absl::Status OnTrailer(const v1::Trailer& trailer) override { return sink_.OnTrailer(trailer); }

 private:
  ExtractSink& sink_;
  Progress& progress_;
};

// Runs the request as ExtractAll does, and says on `out` how far it is when it takes long.
absl::Status ExtractWithProgress(Client& client, const v1::ExtractRequest& request, ExtractSink* sink,
                                 std::ostream* out);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_PROGRESS_H_
