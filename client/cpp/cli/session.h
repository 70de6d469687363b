// What all subcommands share: the server, the terminal, the exit status.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_SESSION_H_
#define HYDROPHONE_CLIENT_CPP_CLI_SESSION_H_

#include <functional>
#include <istream>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "client/cpp/cli/display/style.h"
#include "client/cpp/client.h"
#include "google/protobuf/message.h"

namespace hydrophone::client {

// The program's exit status.
enum ExitCode : int {
  kOk = 0,
  kCheckFailed = 1,  // the numbers are not right, or the server does not serve
  kUsage = 2,        // the command line or an input file is not right
  kFailed = 3,       // the server refused, the connection broke, or the output could not be written
};

// Lives as long as the program.
struct Session {
  std::istream& in;
  std::ostream& out;  // what was asked for
  std::ostream& err;  // everything else
  Terminal terminal;  // what `out` is
  Style style;        // of `out`
  std::string server = "127.0.0.1:50051";
  Credentials credentials = {};
  double timeout_seconds = 0;  // of each call; 0: none

  std::unique_ptr<Client> Connect() const;

  // Says what went wrong; kFailed.
  int Fail(const absl::Status& status) const;
  // The same for what the user gave; kUsage.
  int Refuse(const absl::Status& status) const;
};

// A protobuf message as indented JSON with the fields' names of the .proto files, fields at their
// default included.
std::string ToJson(const google::protobuf::Message& message);

// The same in one line, without fields at their default: for the metadata of files.
std::string CompactJson(const google::protobuf::Message& message);

// What the chosen subcommand does, after the command line was read. Gives the exit status.
using Action = std::function<int()>;

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_SESSION_H_
