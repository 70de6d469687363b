// The program `hydrophone`: see command_line.cc, and commands.h for its subcommands.
#include <iostream>
#include <string>
#include <vector>

#include "client/cpp/cli/command_line.h"
#include "client/cpp/cli/display/style.h"
#include "client/cpp/tensor_memory.h"

int main(int argc, char** argv) {
  hydrophone::client::KeepFreedMemory();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return hydrophone::client::RunCommandLine(arguments, std::cin, std::cout, std::cerr,
                                            hydrophone::client::StandardOutput());
}
