// Inputs from arguments, text files and JSON lines.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_INPUTS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_INPUTS_H_

#include <istream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cpp/cli/request_words.h"
#include "hydrophone/v1/input.pb.h"

namespace hydrophone::client {

// An input and where it was given: "\"Hello\"", "prompts.txt:4", "inputs.jsonl:3".
struct GivenInput {
  v1::Input input;
  std::string words;
  Rest rest = Rest::kDropped;
};

// A text as an input: `text` when it is valid UTF-8, else `raw_text`.
v1::Input InputFromText(std::string text);

// One input a line of UTF-8; LF or CRLF ends a line, and a byte order mark at the beginning is passed over.
// INVALID_ARGUMENT, with the line, for UTF-16, for another line that is not UTF-8, and for an empty line, since an
// input without tokens cannot run, unless `keep_empty` leaves that to the server. `name` is for messages.
absl::StatusOr<std::vector<GivenInput>> InputsFromLines(std::istream& stream, absl::string_view name,
                                                        bool keep_empty = false);

// One input a line, as files/json_line.h reads it. Blank lines are passed over. INVALID_ARGUMENT names the line and
// what is wrong in it.
absl::StatusOr<std::vector<GivenInput>> InputsFromJsonLines(std::istream& stream, absl::string_view name);

// Where a command's inputs come from, in this order.
struct InputSources {
  std::vector<std::string> texts;
  std::string text_file;          // "" for none; "-" for standard input
  std::string jsonl_file;         // the same
  bool keep_empty_lines = false;  // of text_file: the server skips them

  bool empty() const { return texts.empty() && text_file.empty() && jsonl_file.empty(); }
};

// All of them. `standard_input` is read when a file is "-".
absl::StatusOr<std::vector<GivenInput>> ReadInputs(const InputSources& sources, std::istream& standard_input);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_INPUTS_H_
