// hydrophone completion: a script that completes command lines in a shell.
#include <memory>
#include <string>

#include "client/cpp/cli/commands.h"
#include "client/cpp/cli/completion.h"

namespace hydrophone::client {

void AddCompletionCommand(CLI::App& app, const Session& session, Action* action) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "A script for a shell that completes command lines");
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Examples:\n  source <(hydrophone completion bash)\n  source <(hydrophone completion zsh)\n"
      "  hydrophone completion fish | source");
  command->callback([=, &app, &session] {
    *action = [=, &app, &session] {
      session.out << CompletionScript(app, *shell);
      return kOk;
    };
  });
}

}  // namespace hydrophone::client
