// hydrophone extract: activations to the terminal or into files.
#include <memory>
#include <utility>

#include "client/cpp/cli/commands.h"
#include "client/cpp/cli/extract_options.h"
#include "client/cpp/cli/extract_to_file.h"
#include "client/cpp/cli/extract_to_terminal.h"

namespace hydrophone::client {
namespace {

constexpr char kExamples[] =
    "Without --out, captures are shown as short previews. With it, there is one array for each "
    "point, the rows of all inputs one\n"
    "after the other in input order, and an array \"rows\" with the number of rows of each input; "
    "the file's metadata holds where the\n"
    "numbers come from and the request.\n"
    "Examples:\n"
    "  hydrophone extract --hook attn.c_proj --layers 10 \"Hello world\"\n"
    "  hydrophone extract --hook hidden_states --layers=0,-1 --positions last --file prompts.txt "
    "--out states.safetensors\n"
    "  hydrophone extract --hook blocks.10.hook_mlp_out --hook hidden_states@10,11 --jsonl "
    "inputs.jsonl --out captures/\n"
    "  hydrophone extract --hook resid_post --layers 3-6 --view summary \"Hello world\"";

int RunExtract(const Session& session, const ExtractOptions& options) {
  const auto request = options.MakeRequest(session.in);
  if (!request.ok()) return session.Refuse(request.status());
  return options.out.empty() ? ExtractToTerminal(session, *request)
                             : ExtractToFile(session, *request, options.out);
}

}  // namespace

void AddExtractCommand(CLI::App& app, const Session& session, Action* action) {
  auto options = std::make_shared<ExtractOptions>();
  CLI::App* command = app.add_subcommand("extract", "Activations at the hook points named");
  options->AddTo(command);
  command->footer(kExamples);
  command->callback(
      [=, &session] { *action = [=, &session] { return RunExtract(session, *options); }; });
}

}  // namespace hydrophone::client
