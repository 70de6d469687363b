#include "client/cpp/cli/display/table.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "client/cpp/cli/display/display_width.h"

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

using Row = std::vector<Table::Cell>;

std::vector<Column> Measure(const Row& names, const std::vector<Row>& rows) {
  std::vector<Column> columns(names.size());
  for (size_t i = 0; i < names.size(); ++i) columns[i].width = DisplayWidth(names[i].text);
  for (const Row& row : rows) {
    columns.resize(std::max(columns.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      columns[i].width = std::max(columns[i].width, DisplayWidth(row[i].text));
      columns[i].numbers &= row[i].text.empty() || IsNumber(row[i].text);
    }
  }
  return columns;
}

void PrintRow(const Row& row, const std::vector<Column>& columns, const Style& style, std::ostream& out) {
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string padding(columns[i].width - DisplayWidth(row[i].text), ' ');
    const std::string painted = style.Paint(row[i].ink, row[i].text);
    const bool last = i + 1 == row.size();
    if (columns[i].numbers) {
      out << padding << painted;
    } else {
      out << painted << (last ? "" : padding);
    }
    out << (last ? "\n" : kGap);
  }
}

}  // namespace

void Table::Print(const Style& style, std::ostream& out) const {
  const auto columns = Measure(names_, rows_);
  if (!names_.empty()) PrintRow(names_, columns, style, out);
  for (const Row& row : rows_) PrintRow(row, columns, style, out);
}

std::string Short(double value) { return absl::StrFormat("%.5g", value); }

}  // namespace hydrophone::client
