// Pieces of error messages about files: printable and bounded, whatever the file holds.
#ifndef HYDROPHONE_SERVER_BASE_MESSAGES_H_
#define HYDROPHONE_SERVER_BASE_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydrophone {

// `text` cut at 100 bytes; a byte that is not printable ASCII is written as "\x0a".
std::string Printable(absl::string_view text);

// The same status with `where` before its message: "model.safetensors: ...". OK stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view where);

// The shape as "[768, 2304]".
std::string ShapeText(absl::Span<const int64_t> shape);

// Gathers things to name in one message. Keeps the first kKept and counts the rest.
class NamedThings {
 public:
  static constexpr size_t kKept = 20;

  void Add(std::string thing);
  bool empty() const { return total_ == 0; }
  size_t total() const { return total_; }

  // "3 missing: a, b, c"; "41 missing: a, b, ..., and 21 more". `what` says what is wrong with them ("missing").
  std::string Text(absl::string_view what) const;

 private:
  std::vector<std::string> kept_;
  size_t total_ = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_MESSAGES_H_
