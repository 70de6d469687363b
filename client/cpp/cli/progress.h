// Says how far a long extraction is.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_PROGRESS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hydrophone::client {

// Writes nothing for what is done soon; then a line every now and then. Not thread-safe.
class Progress {
 public:
  // `out` outlives this.
  explicit Progress(std::ostream* out, std::function<absl::Time()> now = absl::Now);

  void Inputs(size_t done, size_t total);
  void Bytes(uint64_t received);

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

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_PROGRESS_H_
