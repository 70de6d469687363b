// The options of `hydrophone extract`.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_OPTIONS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "client/cpp/cli/input_options.h"

namespace hydrophone::client {

// As the user gave them: "" or nothing for what was not given.
struct ExtractOptions {
  InputOptions inputs;
  bool truncate = false;
  bool skip_bad_inputs = false;

  std::vector<std::string> hooks;
  std::string layers;
  std::string positions;
  std::string heads;
  std::string features;
  std::string reduce;

  std::string view;    // "": what suits the output
  std::string layout;  // the same
  std::string dtype;
  std::optional<float> threshold;
  uint32_t largest = 0;
  std::string quantiles;
  std::string project;
  uint32_t top_k = 0;
  std::string tokens;
  bool lens_logits = false;
  bool lens_entropy = false;
  bool lens_kl = false;

  std::vector<std::string> edits;
  bool no_baseline = false;
  std::vector<std::string> patch_from;
  std::vector<std::string> metrics;
  std::optional<uint64_t> train_seed;
  uint32_t max_new_tokens = 0;

  std::string request_file;
  bool print_request = false;
  bool json = false;
  bool all = false;  // lists every input in the terminal
  std::string out;
  bool force = false;                 // `out` may be overwritten
  std::optional<std::string> shards;  // how many inputs a shard has; "": as many as is usual
  std::optional<uint32_t> shuffle;
  double patience_seconds = 600;

  // This must outlive the command.
  void AddTo(CLI::App* command);
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_OPTIONS_H_
