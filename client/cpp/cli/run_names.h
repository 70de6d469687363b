// What people call the runs of an answer.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_RUN_NAMES_H_
#define HYDROPHONE_CLIENT_CPP_CLI_RUN_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

class RunNames {
 public:
  // The request's own runs, if it has any, or one for each input.
  explicit RunNames(const v1::ExtractRequest& request);

  // Whether the runs have names beside their inputs'.
  bool has_runs() const { return !runs_.empty(); }

  // An input's key, or its number.
  std::string Input(uint32_t input) const;
  // A run's input, and the run's own key, or its number; "" when each input is one run.
  std::string InputOf(uint32_t run) const;
  std::string Run(uint32_t run) const;

  // The input and, if there are any runs, the run, in the cells of a table; empty cells when a tensor holds several.
  void AddCells(const v1::TensorInfo& info, std::vector<std::string>* row) const;
  void AddCells(uint32_t run, std::vector<std::string>* row) const;
  // The columns' names for them.
  std::vector<std::string> Columns() const;

 private:
  struct NamedRun {
    uint32_t input = 0;
    std::string key;
  };
  std::vector<std::string> keys_;  // by input
  std::vector<NamedRun> runs_;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_RUN_NAMES_H_
