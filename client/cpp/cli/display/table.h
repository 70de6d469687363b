// Tables for a terminal.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_TABLE_H_
#define HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_TABLE_H_

#include <initializer_list>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "client/cpp/cli/display/style.h"

namespace hydrophone::client {

// Rows of cells under a line of column names. Columns of numbers are set to the right.
class Table {
 public:
  struct Cell {
    // Implicit: most cells are plain.
    Cell(std::string what, Ink colour = Ink::kPlain) : text(std::move(what)), ink(colour) {}
    Cell(const char* what, Ink colour = Ink::kPlain) : text(what), ink(colour) {}

    std::string text;
    Ink ink = Ink::kPlain;
  };

  // No names: no head.
  explicit Table(std::vector<std::string> names = {}) : names_(names.begin(), names.end()) {
    for (Cell& name : names_) name.ink = Ink::kHeading;
  }

  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  void Add(const std::vector<std::string>& row) { rows_.emplace_back(row.begin(), row.end()); }
  void Add(std::initializer_list<Cell> row) { rows_.emplace_back(row); }

  void Print(const Style& style, std::ostream& out) const;

 private:
  std::vector<Cell> names_;
  std::vector<std::vector<Cell>> rows_;
};

// A number in few digits: "0", "1.5e-07", "0.99987".
std::string Short(double value);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_TABLE_H_
