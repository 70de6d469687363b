// The program `hydrophone`, without its main: so that tests run it with streams of their own.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_COMMAND_LINE_H_
#define HYDROPHONE_CLIENT_CPP_CLI_COMMAND_LINE_H_

#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "client/cpp/cli/display/style.h"

namespace hydrophone::client {

// Runs one command line (without the program's name); gives the exit status (see session.h).
// `terminal`: what `out` is.
int RunCommandLine(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err,
                   const Terminal& terminal = {});

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_COMMAND_LINE_H_
