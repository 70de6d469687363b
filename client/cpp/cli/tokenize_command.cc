// hydrophone tokenize: texts to tokens.
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cpp/cli/commands.h"
#include "client/cpp/cli/input_options.h"
#include "client/cpp/cli/table.h"

namespace hydrophone::client {
namespace {

void PrintTokens(const v1::TokenizeResponse& response, std::ostream& out) {
  for (int i = 0; i < response.inputs_size(); ++i) {
    const v1::TokenizedInput& input = response.inputs(i);
    const std::string key = input.key().empty() ? "" : absl::StrCat(" ", input.key());
    out << (i > 0 ? "\n" : "") << "input " << i << key << ": " << input.token_ids_size() << " tokens\n";
    Table table({"id", "piece", "byte"});
    for (int t = 0; t < input.token_ids_size(); ++t) {
      table.Add({absl::StrCat(input.token_ids(t)), t < input.pieces_size() ? input.pieces(t) : "",
                 t < input.byte_offsets_size() ? absl::StrCat(input.byte_offsets(t)) : ""});
    }
    table.Print(out);
  }
}

int RunTokenize(const Session& session, const InputOptions& options, bool json) {
  const auto inputs = options.Read(session.in);
  if (!inputs.ok()) return session.Refuse(inputs.status());
  v1::TokenizeRequest request;
  request.mutable_inputs()->Assign(inputs->begin(), inputs->end());
  const auto response = session.Connect()->Tokenize(request);
  if (!response.ok()) return session.Fail(response.status());
  if (json) {
    session.out << ToJson(*response);
  } else {
    PrintTokens(*response, session.out);
  }
  return kOk;
}

}  // namespace

void AddTokenizeCommand(CLI::App& app, const Session& session, Action* action) {
  struct Options {
    InputOptions inputs;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("tokenize", "Token ids, pieces and byte offsets of texts");
  options->inputs.AddTo(command);
  command->add_flag("--json", options->json, "The answer as JSON");
  command->footer(
      "Examples:\n  hydrophone tokenize \"Hello world\"\n  hydrophone tokenize --file prompts.txt "
      "--json\n"
      "  echo '{\"token_ids\": [15496, 995]}' | hydrophone tokenize --jsonl -");
  command->callback(
      [=, &session] { *action = [=, &session] { return RunTokenize(session, options->inputs, options->json); }; });
}

}  // namespace hydrophone::client
