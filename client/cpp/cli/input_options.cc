#include "client/cpp/cli/input_options.h"

#include <utility>

namespace hydrophone::client {

void InputOptions::AddTo(CLI::App* command) {
  command->add_option("TEXT", sources.texts, "Texts, an input each");
  command->add_option("--file", sources.text_file, "Text file, an input a line; - for standard input");
  command->add_option("--jsonl", sources.jsonl_file,
                      "JSON lines, an input each: a string, {\"text\": ...}, {\"token_ids\": [...]} or "
                      "{\"text_bytes_base64\": ...}, with \"key\" if liked; - for standard input");
  command->add_flag("--prepend-bos", prepend_bos, "Put <|endoftext|> in front of each input");
  command->add_flag("--literal-specials", literal_specials, "Read <|endoftext|> in a text as ordinary characters");
}

absl::StatusOr<std::vector<GivenInput>> InputOptions::Read(std::istream& standard_input, bool none_is_fine,
                                                           bool keep_empty_lines) const {
  InputSources from = sources;
  from.keep_empty_lines = keep_empty_lines;
  if (from.empty() && !none_is_fine) from.text_file = "-";
  if (from.text_file == "-" && from.jsonl_file == "-") {
    return absl::InvalidArgumentError("--jsonl -: got the standard input that --file - reads, expected it once");
  }
  auto inputs = ReadInputs(from, standard_input);
  if (!inputs.ok()) return inputs.status();
  if (inputs->empty() && !(none_is_fine && sources.empty())) {
    return absl::InvalidArgumentError("no inputs: give TEXT, --file or --jsonl");
  }
  for (GivenInput& given : *inputs) {
    given.input.set_prepend_bos(prepend_bos);
    given.input.set_literal_specials(literal_specials);
  }
  return inputs;
}

void AddGivenInputs(std::vector<GivenInput> given, google::protobuf::RepeatedPtrField<v1::Input>* inputs,
                    RequestWords* words) {
  for (GivenInput& one : given) {
    inputs->Add(std::move(one.input));
    words->AddInput(std::move(one.words), one.rest);
  }
}

}  // namespace hydrophone::client
