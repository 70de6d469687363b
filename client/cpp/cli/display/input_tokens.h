// The tokens of an answer's inputs, by run and position.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_INPUT_TOKENS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_INPUT_TOKENS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

class InputTokens {
 public:
  explicit InputTokens(const v1::ExtractRequest& request);

  void Add(const v1::InputInfo& input);

  // The token at a position of a run, as TokenText shows it; "" for one that is not known.
  std::string At(uint32_t run, uint32_t position) const;

 private:
  std::vector<uint32_t> input_of_;                       // by run; empty: each input is one
  std::map<uint32_t, std::vector<std::string>> pieces_;  // by input
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_INPUT_TOKENS_H_
