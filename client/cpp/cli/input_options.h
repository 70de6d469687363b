// The options by which commands are given inputs.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_INPUT_OPTIONS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_INPUT_OPTIONS_H_

#include <istream>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "client/cpp/cli/inputs.h"
#include "client/cpp/cli/request_words.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace hydrophone::client {

struct InputOptions {
  InputSources sources;
  bool prepend_bos = false;
  bool literal_specials = false;

  // Adds TEXT, --file, --jsonl, --prepend-bos and --literal-specials; this must outlive the
  // command.
  void AddTo(CLI::App* command);

  // All inputs, in order: arguments, the text file, the JSON lines. Without any of them, the lines
  // of standard input, unless `none_is_fine`. For `keep_empty_lines` see InputsFromLines.
  absl::StatusOr<std::vector<GivenInput>> Read(std::istream& standard_input, bool none_is_fine = false,
                                               bool keep_empty_lines = false) const;
};

// Moves inputs into a request's, and says what they are called.
void AddGivenInputs(std::vector<GivenInput> given, google::protobuf::RepeatedPtrField<v1::Input>* inputs,
                    RequestWords* words);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_INPUT_OPTIONS_H_
