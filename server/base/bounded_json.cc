#include "server/base/bounded_json.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/messages.h"

namespace hydrophone {
namespace {

using Json = nlohmann::json;

// Follows the parser without building anything, and stops it at the first thing that is not allowed.
class Inspector : public nlohmann::json_sax<Json> {
 public:
  explicit Inspector(const JsonLimits& limits) : limits_(limits) {}

  const std::string& problem() const { return problem_; }

  bool null() override { return CountValue(); }
  bool boolean(bool) override { return CountValue(); }
  bool number_integer(number_integer_t) override { return CountValue(); }
  bool number_unsigned(number_unsigned_t) override { return CountValue(); }
  bool number_float(number_float_t, const string_t&) override { return CountValue(); }
  bool string(string_t&) override { return CountValue(); }
  bool binary(binary_t&) override { return CountValue(); }
  bool start_object(std::size_t) override { return Descend(); }
  bool start_array(std::size_t) override { return Descend(); }
  bool end_object() override { return Ascend(); }
  bool end_array() override { return Ascend(); }

  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    return Stop(absl::StrCat("has the key \"", Printable(name), "\" twice in one object"));
  }

  // The parser's own message repeats the file's text at any length: only the place is kept.
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    if (absl::StrContains(error.what(), "surrogate")) {
      return Stop(absl::StrCat("holds half of a surrogate pair near byte ", position, ", which is no character"));
    }
    return Stop(absl::StrCat("is not JSON: syntax error near byte ", position));
  }

 private:
  bool CountValue() {
    if (++values_ <= limits_.max_values) return true;
    return Stop(absl::StrCat("holds more than ", limits_.max_values, " values"));
  }
  bool Descend() {
    if (keys_.size() == limits_.max_depth) {
      return Stop(absl::StrCat("nests deeper than ", limits_.max_depth, " levels"));
    }
    keys_.emplace_back();
    return CountValue();
  }
  bool Ascend() {
    keys_.pop_back();
    return true;
  }
  bool Stop(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  const JsonLimits limits_;
  size_t values_ = 0;
  std::vector<absl::flat_hash_set<std::string>> keys_;  // seen so far, for each open object (or array: none)
  std::string problem_;
};

}  // namespace

absl::StatusOr<nlohmann::json> ParseBoundedJson(absl::string_view text, const JsonLimits& limits) {
  // nlohmann's parser takes a zero byte for the end of the text and would not look at what follows it.
  const size_t zero = text.find('\0');
  if (zero != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("is not JSON: syntax error near byte ", zero + 1));
  }
  Inspector inspector(limits);
  if (!Json::sax_parse(text.begin(), text.end(), &inspector)) return absl::InvalidArgumentError(inspector.problem());
  Json document = Json::parse(text.begin(), text.end(), /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return absl::InvalidArgumentError("is not JSON");
  return document;
}

}  // namespace hydrophone
