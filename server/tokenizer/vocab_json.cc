#include "server/tokenizer/vocab_json.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

// Takes nlohmann's events, which have its names; an event that returns false ends the parse. nlohmann's document tree
// would drop repeated keys silently and recurse into nested values.
class EntryReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool start_object(size_t) override {
    if (inside_) return Refuse("a nested object");
    inside_ = true;
    return true;
  }
  bool key(string_t& key) override {
    entries_.emplace_back(std::move(key), 0);
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (!inside_) return Refuse("a number");
    entries_.back().second = value;
    return true;
  }
  bool end_object() override { return true; }

  bool number_integer(number_integer_t) override { return Refuse("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return Refuse("a fraction"); }
  bool null() override { return Refuse("null"); }
  bool boolean(bool) override { return Refuse("a boolean"); }
  bool string(string_t&) override { return Refuse("a string"); }
  bool binary(binary_t&) override { return Refuse("binary data"); }
  bool start_array(size_t) override { return Refuse("an array"); }
  bool end_array() override { return true; }

  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    problem_ = absl::StrCat("bad JSON at byte ", position);
    return false;
  }

  VocabularyEntries TakeEntries() { return std::move(entries_); }
  const std::string& problem() const { return problem_; }

 private:
  bool Refuse(absl::string_view got) {
    problem_ = inside_ ? absl::StrCat("member ", entries_.size(), " is ", got, ", expected an id")
                       : absl::StrCat("is ", got, ", expected an object from pieces to ids");
    return false;
  }

  bool inside_ = false;
  VocabularyEntries entries_;
  std::string problem_;
};

}  // namespace

absl::StatusOr<VocabularyEntries> ParseVocabJson(absl::string_view json) {
  EntryReader reader;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &reader)) {
    return absl::InvalidArgumentError(reader.problem());
  }
  return reader.TakeEntries();
}

}  // namespace hydrophone
