#include "client/cpp/cli/command_line.h"

#include <algorithm>
#include <cstdlib>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/cli/access_options.h"
#include "client/cpp/cli/commands.h"
#include "server/base/address.h"
#include "server/base/nearest_names.h"

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

// What is wrong with an address; empty when nothing is. Names that gRPC resolves in its own ways ("dns:///lab:50051")
// are left to it.
std::string ServerObjection(const std::string& text) {
  const bool url = absl::StartsWith(text, "http://") || absl::StartsWith(text, "https://");
  if (!url && absl::StrContains(text, ":///")) return "";
  return std::string(ParseAddress(text).status().message());
}

// "extrct": the first argument that should have been a subcommand, and the nearest one; empty when there is none such.
std::string MisspeltCommand(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (!app.get_subcommands().empty()) return "";
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(command->get_name());
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const CLI::Option* option = app.get_option_no_throw(arguments[i]);
    if (option != nullptr && option->get_items_expected_max() > 0) {
      ++i;  // its value
    } else if (!absl::StartsWith(arguments[i], "-")) {
      const std::vector<std::string> nearest = NearestNames(arguments[i], commands, 1);
      return absl::StrCat("hydrophone: no command is called \"", absl::Utf8SafeCHexEscape(arguments[i]), "\"; ",
                          nearest.empty() ? "there are " + absl::StrJoin(commands, ", ")
                                          : absl::StrCat("did you mean ", nearest[0], "?"),
                          "\n");
    }
  }
  return "";
}

// The exit status, unless what was asked for could not be written: a full disk, or a reader that is gone.
int Written(const Session& session, int status) {
  session.out.flush();
  if (session.out.good() || status == kUsage) return status;
  return session.Fail(absl::DataLossError("the output could not be written"));
}

}  // namespace

int RunCommandLine(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err,
                   const Terminal& terminal) {
  Session session{in, out, err, terminal, {}};
  AccessOptions access;
  std::string color = "auto";
  Action action;
  CLI::App app(kDescription, "hydrophone");
  app.footer(kExamples);
  app.require_subcommand(1);
  app.fallthrough();  // --server may stand after the subcommand too
  app.set_version_flag("--version", std::string("hydrophone " HYDROPHONE_VERSION));
  app.add_option("--server", session.server, "Server to ask, HOST:PORT or unix:PATH")
      ->envname("HYDROPHONE_SERVER")
      ->check(CLI::Validator(ServerObjection, ""))
      ->capture_default_str();
  app.add_option("--timeout", session.timeout_seconds, "Most time for each call, in seconds; 0: no limit")
      ->envname("HYDROPHONE_TIMEOUT")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  AddAccessOptions(app, &access);
  app.add_option("--color", color,
                 "auto: on a terminal, unless NO_COLOR is set and not empty or TERM is dumb; or always, or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  AddModelCommand(app, session, &action);
  AddHooksCommand(app, session, &action);
  AddParametersCommand(app, session, &action);
  AddTokenizeCommand(app, session, &action);
  AddExtractCommand(app, session, &action);
  AddVerifyCommand(app, session, &action);
  AddHealthCommand(app, session, &action);
  AddCompletionCommand(app, session, &action);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const bool help = error.get_exit_code() == 0;
    if (const std::string misspelt = help ? "" : MisspeltCommand(app, arguments); !misspelt.empty()) {
      err << misspelt;
      return kUsage;
    }
    return Written(session, app.exit(error, out, err) == 0 ? kOk : kUsage);
  }
  session.style = {UsesColour(color, terminal, std::getenv("NO_COLOR"), std::getenv("TERM")), terminal.columns};
  if (!app.got_subcommand("completion")) {  // which asks no server
    absl::StatusOr<Credentials> credentials = ReadCredentials(access, session.server);
    if (!credentials.ok()) return session.Refuse(credentials.status());
    session.credentials = *std::move(credentials);
  }
  return Written(session, action());
}

}  // namespace hydrophone::client
