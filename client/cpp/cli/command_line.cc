#include "client/cpp/cli/command_line.h"

#include <algorithm>

#include "CLI/CLI.hpp"
#include "client/cpp/cli/commands.h"

namespace hydrophone::client {
namespace {

constexpr char kDescription[] =
    "Asks a Hydrophone server for the activations of the model that it loaded.\n"
    "Exit status: 0 done; 1 a check failed; 2 the command line or an input is not right; 3 the "
    "server refused, the\n"
    "connection broke, or the output could not be written.";

constexpr char kExamples[] =
    "Examples:\n"
    "  hydrophone model\n"
    "  hydrophone hooks attn\n"
    "  hydrophone extract --hook attn.c_proj --layers 10 \"Hello world\"\n"
    "  hydrophone extract --top-k 5 \"The capital of France is\"\n"
    "  hydrophone extract --edit 'blocks.5.hook_mlp_out zero' \"Hello world\"\n"
    "  hydrophone --server lab:50051 verify --layers 0-3 \"Hello world\"\n"
    "  hydrophone extract --help";

}  // namespace

int RunCommandLine(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err) {
  Session session{in, out, err};
  Action action;
  CLI::App app(kDescription, "hydrophone");
  app.footer(kExamples);
  app.require_subcommand(1);
  app.fallthrough();  // --server may stand after the subcommand too
  app.set_version_flag("--version", std::string("hydrophone " HYDROPHONE_VERSION));
  app.add_option("--server", session.server, "Server to ask, HOST:PORT")
      ->envname("HYDROPHONE_SERVER")
      ->capture_default_str();
  app.add_option("--timeout", session.timeout_seconds, "Most time for each call, in seconds; 0: no limit")
      ->envname("HYDROPHONE_TIMEOUT")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  AddModelCommand(app, session, &action);
  AddHooksCommand(app, session, &action);
  AddTokenizeCommand(app, session, &action);
  AddExtractCommand(app, session, &action);
  AddVerifyCommand(app, session, &action);
  AddHealthCommand(app, session, &action);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kOk : kUsage;
  }
  return action();
}

}  // namespace hydrophone::client
