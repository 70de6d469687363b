// Runs the program against the toy model.
#ifndef HYDROPHONE_TESTS_CLIENT_CPP_CLI_COMMAND_LINE_FIXTURE_H_
#define HYDROPHONE_TESTS_CLIENT_CPP_CLI_COMMAND_LINE_FIXTURE_H_

#include <sstream>
#include <string>
#include <vector>

#include "client/cpp/cli/command_line.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_service.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {

struct Result {
  int status = 0;
  std::string out;
  std::string err;
};

class CommandLineTest : public ::testing::Test {
 protected:
  Result Run(std::vector<std::string> arguments, const std::string& standard_input = "") const {
    arguments.insert(arguments.begin(), {"--server", service_.address()});
    std::istringstream in(standard_input);
    std::ostringstream out;
    std::ostringstream err;
    const int status = RunCommandLine(arguments, in, out, err);
    return {status, out.str(), err.str()};
  }

  FakeService service_;
  const TemporaryDirectory directory_;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_TESTS_CLIENT_CPP_CLI_COMMAND_LINE_FIXTURE_H_
