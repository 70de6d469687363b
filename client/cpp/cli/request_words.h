// What the parts of a request are called on the command line that made it.
//
// The server names a field that it refuses by its path, "hooks[0].layers[1]". Whatever makes a request also says here
// where each part came from ("--layers 0,99", "prompts.txt:4"), and an error is then told in those words.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_REQUEST_WORDS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_REQUEST_WORDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hydrophone::client {

// What becomes of the rest of a path whose beginning has words.
enum class Rest : uint8_t {
  kDropped,  // "--layers 0,99" for "hooks[0].layers[1]"
  kNamed,    // "inputs.jsonl:3, token_ids[0]" for "inputs[2].token_ids[0]"
  kPath,     // "texts[2].key" for "inputs[2].key"
};

class RequestWords {
 public:
  // Knows no words: what the request's own paths say is what its writer wrote.
  RequestWords() = default;

  // Knows what the API's names are called on the command line ("logit_lens", "LAYOUT_ROWS").
  static RequestWords OfCommandLine();

  // The words for the field at `path` and all below it that have none of their own. "*" stands for any number as the
  // first index: "runs[*].interventions[0]".
  void Say(std::string path, std::string words, Rest rest = Rest::kDropped) {
    paths_[std::move(path)] = {std::move(words), rest};
  }

  // The words for a name of the API ("logit_lens", "VIEW_SUMMARY") where a description mentions it.
  void SayTerm(std::string term, std::string words) { terms_[std::move(term)] = std::move(words); }

  // The same for the request's next input and its next run, whose `kind` is "clean" or the like. A request to which no
  // run is added has one for each input.
  void AddInput(std::string words, Rest rest = Rest::kDropped) { inputs_.push_back({std::move(words), rest}); }
  void AddRun(const char* kind, uint32_t input) { runs_.push_back({kind, input}); }

  // The field's words; the path itself when nothing was said of it.
  std::string Of(absl::string_view field) const;

  // A description with the paths, terms and runs ("run 3") that it mentions in their words. What stands in quotation
  // marks is the caller's own and is left as it is.
  std::string Describe(absl::string_view description) const;

  // The error in these words. Violations that then read alike are told once.
  absl::Status Reword(const absl::Status& status) const;

 private:
  struct Words {
    std::string text;
    Rest rest = Rest::kDropped;
  };
  struct Run {
    const char* kind;
    uint32_t input;
  };

  std::optional<Words> Find(absl::string_view path) const;
  std::optional<Words> FindNumbered(absl::string_view path) const;
  std::string RunText(uint32_t run) const;
  void AppendWord(absl::string_view word, std::string* told) const;

  std::map<std::string, Words, std::less<>> paths_;
  std::map<std::string, std::string, std::less<>> terms_;
  std::vector<Words> inputs_;
  std::vector<Run> runs_;
};

// An option with its value as it was typed: `--layers 99`, `--edit "hook_embed zero"`; long values are cut.
std::string OptionWords(absl::string_view option, absl::string_view value);

// A text in quotation marks, escaped, and cut when it is long.
std::string QuotedWords(absl::string_view text);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_REQUEST_WORDS_H_
