// The options of `hydrophone extract`, and the request that they make.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_OPTIONS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_OPTIONS_H_

#include <istream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "client/cpp/cli/input_options.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

struct ExtractOptions {
  InputOptions inputs;
  bool truncate = false;
  bool skip_bad_inputs = false;
  std::vector<std::string> hooks;
  std::string layers;
  std::string positions;
  std::string layout;  // "": rows with `out`, else per run
  std::string view;    // "": bytes with `out`, else previews
  std::string dtype = "float32";
  std::string out;

  // This must outlive the command.
  void AddTo(CLI::App* command);

  // INVALID_ARGUMENT when an option or an input is not right. What only the server can know is left
  // to it.
  absl::StatusOr<v1::ExtractRequest> MakeRequest(std::istream& standard_input) const;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_OPTIONS_H_
