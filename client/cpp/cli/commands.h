// The subcommands, a file each. Each function adds its subcommand to `app`; when the command line
// chooses it, `action` becomes what it does. `app` and `session` outlive the action.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_COMMANDS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_COMMANDS_H_

#include "CLI/CLI.hpp"
#include "client/cpp/cli/session.h"

namespace hydrophone::client {

void AddModelCommand(CLI::App& app, const Session& session, Action* action);
void AddHooksCommand(CLI::App& app, const Session& session, Action* action);
void AddParametersCommand(CLI::App& app, const Session& session, Action* action);
void AddTokenizeCommand(CLI::App& app, const Session& session, Action* action);
void AddExtractCommand(CLI::App& app, const Session& session, Action* action);
void AddVerifyCommand(CLI::App& app, const Session& session, Action* action);
void AddHealthCommand(CLI::App& app, const Session& session, Action* action);
void AddCompletionCommand(CLI::App& app, const Session& session, Action* action);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_COMMANDS_H_
