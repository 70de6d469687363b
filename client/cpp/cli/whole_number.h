// Options that are numbers from 0 or 1 on.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_WHOLE_NUMBER_H_
#define HYDROPHONE_CLIENT_CPP_CLI_WHOLE_NUMBER_H_

#include <cstdint>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hydrophone::client {

// Checks an option's text, since CLI11 reads "-1" as a large unsigned number.
inline CLI::Validator WholeNumber(uint64_t least) {
  const auto check = [least](const std::string& text) {
    uint64_t number = 0;
    if (absl::SimpleAtoi(text, &number) && number >= least) return std::string();
    return absl::StrCat("got \"", text, "\", expected a whole number from ", least);
  };
  return CLI::Validator(check, "");
}

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_WHOLE_NUMBER_H_
