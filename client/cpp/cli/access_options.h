// The options that say how to reach a server that is not open to all, and what to tell when that failed.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_ACCESS_OPTIONS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_ACCESS_OPTIONS_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/credentials.h"

namespace hydrophone::client {

struct AccessOptions {
  bool tls = false;  // the other files of TLS ask for it too
  std::string tls_ca = "";
  std::string tls_certificate = "";
  std::string tls_key = "";
  std::string token_file = "";
  bool insecure = false;
};

// Adds the options to `app`; `options` outlives it. There is none for a token itself: others see a command line.
void AddAccessOptions(CLI::App& app, AccessOptions* options);

// Reads the files, and the token from HYDROPHONE_TOKEN unless a file has it. Errors name the option or the file, what
// was got and what was expected; also for a token that would go to `server` in plaintext.
absl::StatusOr<Credentials> ReadCredentials(const AccessOptions& options, const std::string& server);

// What may help after a call failed, as further lines of the error; empty when nothing is known.
std::string AccessAdvice(const absl::Status& status, const Credentials& credentials);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_ACCESS_OPTIONS_H_
