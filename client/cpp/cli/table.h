// Tables for a terminal.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_TABLE_H_
#define HYDROPHONE_CLIENT_CPP_CLI_TABLE_H_

#include <ostream>
#include <string>
#include <vector>

namespace hydrophone::client {

// Rows of cells under a line of column names. Columns of numbers are set to the right.
class Table {
 public:
  // No names: no head.
  explicit Table(std::vector<std::string> names = {}) : names_(std::move(names)) {}

  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void Print(std::ostream& out) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<std::string>> rows_;
};

// A number in few digits: "0", "1.5e-07", "0.99987".
std::string Short(double value);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_TABLE_H_
