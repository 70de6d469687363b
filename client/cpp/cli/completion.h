// Scripts that complete the program's command lines in a shell.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_COMPLETION_H_
#define HYDROPHONE_CLIENT_CPP_CLI_COMPLETION_H_

#include <string>

#include "CLI/CLI.hpp"

namespace hydrophone::client {

// For bash, zsh or fish: subcommands, options and the values of options that have a few, as `app` defines them, and the
// hook points of the server that the program would ask, after --hook. "" for another shell.
std::string CompletionScript(const CLI::App& app, const std::string& shell);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_COMPLETION_H_
