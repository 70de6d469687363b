// hydrophone tokenize: texts to tokens.
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cpp/cli/commands.h"
#include "client/cpp/cli/display/table.h"
#include "client/cpp/cli/display/token_text.h"
#include "client/cpp/cli/input_options.h"

namespace hydrophone::client {
namespace {

void PrintTokens(const v1::TokenizeResponse& response, const RequestWords& words, const Session& session) {
  std::ostream& out = session.out;
  for (int i = 0; i < response.inputs_size(); ++i) {
    const v1::TokenizedInput& input = response.inputs(i);
    const std::string key = input.key().empty() ? "" : absl::StrCat(" ", input.key());
    out << (i > 0 ? "\n" : "") << "input " << i << key << ": ";
    if (!input.skipped().empty()) {
      out << "skipped: " << words.Describe(input.skipped()) << "\n";
      continue;
    }
    out << input.token_ids_size() << " tokens\n";
    Table table({"id", "token", "byte"});
    for (int t = 0; t < input.token_ids_size(); ++t) {
      table.Add({absl::StrCat(input.token_ids(t)), t < input.pieces_size() ? TokenText(input.pieces(t)) : "",
                 t < input.byte_offsets_size() ? absl::StrCat(input.byte_offsets(t)) : ""});
    }
    table.Print(session.style, out);
  }
}

struct TokenizeOptions {
  InputOptions inputs;
  bool skip_bad_inputs = false;
  bool json = false;
};

int RunTokenize(const Session& session, const TokenizeOptions& options) {
  auto inputs = options.inputs.Read(session.in, /*none_is_fine=*/false, options.skip_bad_inputs);
  if (!inputs.ok()) return session.Refuse(inputs.status());
  v1::TokenizeRequest request;
  request.set_skip_bad_inputs(options.skip_bad_inputs);
  RequestWords words = RequestWords::OfCommandLine();
  AddGivenInputs(*std::move(inputs), request.mutable_inputs(), &words);
  words.Say("inputs", "all inputs together");
  words.Say("request", "all inputs together");
  const auto response = session.Connect()->Tokenize(request);
  if (!response.ok()) return session.Fail(words.Reword(response.status()));
  if (options.json) {
    session.out << ToJson(*response);
  } else {
    PrintTokens(*response, words, session);
  }
  return kOk;
}

}  // namespace

void AddTokenizeCommand(CLI::App& app, const Session& session, Action* action) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* command = app.add_subcommand("tokenize", "Token ids, tokens and byte offsets of texts");
  options->inputs.AddTo(command);
  command->add_flag("--skip-bad-inputs", options->skip_bad_inputs,
                    "Go on without inputs that cannot be tokenized, and say which");
  command->add_flag("--json", options->json, "The answer as JSON");
  command->footer(
      "Tokens stand in backquotes; \\n and the like are escapes, \\xe2 a byte of a character that several tokens "
      "share.\n"
      "Examples:\n  hydrophone tokenize \"Hello world\"\n  hydrophone tokenize --file prompts.txt "
      "--json\n"
      "  echo '{\"token_ids\": [15496, 995]}' | hydrophone tokenize --jsonl -");
  command->callback([=, &session] { *action = [=, &session] { return RunTokenize(session, *options); }; });
}

}  // namespace hydrophone::client
