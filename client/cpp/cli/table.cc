#include "client/cpp/cli/table.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "server/base/utf8.h"

namespace hydrophone::client {
namespace {

constexpr char kGap[] = "  ";

bool IsNumber(const std::string& cell) {
  double value = 0;
  return absl::SimpleAtod(cell, &value);
}

struct Column {
  size_t width = 0;
  bool numbers = true;
};

std::vector<Column> Measure(const std::vector<std::string>& names, const std::vector<std::vector<std::string>>& rows) {
  std::vector<Column> columns(names.size());
  for (size_t i = 0; i < names.size(); ++i) columns[i].width = CountCharacters(names[i]);
  for (const auto& row : rows) {
    columns.resize(std::max(columns.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      columns[i].width = std::max(columns[i].width, CountCharacters(row[i]));
      columns[i].numbers &= row[i].empty() || IsNumber(row[i]);
    }
  }
  return columns;
}

void PrintRow(const std::vector<std::string>& row, const std::vector<Column>& columns, std::ostream& out) {
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string padding(columns[i].width - CountCharacters(row[i]), ' ');
    const bool last = i + 1 == row.size();
    if (columns[i].numbers) {
      out << padding << row[i];
    } else {
      out << row[i] << (last ? "" : padding);
    }
    out << (last ? "\n" : kGap);
  }
}

}  // namespace

void Table::Print(std::ostream& out) const {
  const auto columns = Measure(names_, rows_);
  if (!names_.empty()) PrintRow(names_, columns, out);
  for (const auto& row : rows_) PrintRow(row, columns, out);
}

std::string Short(double value) { return absl::StrFormat("%.5g", value); }

}  // namespace hydrophone::client
