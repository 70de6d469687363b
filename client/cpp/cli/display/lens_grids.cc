#include "client/cpp/cli/display/lens_grids.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cpp/cli/display/display_width.h"
#include "client/cpp/cli/display/table.h"
#include "client/cpp/cli/display/token_text.h"

namespace hydrophone::client {
namespace {

constexpr size_t kGap = 2;           // columns between two cells
constexpr size_t kWidestToken = 18;  // columns of a token in a grid
constexpr char kOutput[] = "logits";

// A token as a cell of a grid has it; of one that the tokenizer lacks, the id.
std::string CellToken(const v1::Score& score) {
  const std::string text = score.piece().empty() ? absl::StrCat("#", score.token_id()) : TokenText(score.piece());
  return FitToWidth(text, kWidestToken);
}

std::string Probability(const v1::Score& score) {
  const double probability = std::exp(static_cast<double>(score.logprob()));
  return probability < 0.001 ? absl::StrFormat("%.0e", probability) : absl::StrFormat("%.3f", probability);
}

Table::Cell RankedCell(const v1::Score& score) {
  return {absl::StrCat(CellToken(score), " ", Probability(score)), ShadeOf(std::exp(score.logprob()))};
}

Table::Cell GivenCell(const v1::Score& score) {
  return {absl::StrFormat("%s (%d.)", Probability(score), score.rank() + 1), ShadeOf(std::exp(score.logprob()))};
}

std::string PointText(const std::string& name) { return name == kOutput ? "output (logits)" : name; }

// A column of a grid: its head, and a cell for each row.
struct GridColumn {
  std::string head;
  std::vector<Table::Cell> cells;

  size_t width() const {
    size_t most = DisplayWidth(head);
    for (const Table::Cell& cell : cells) most = std::max(most, DisplayWidth(cell.text));
    return most;
  }
};

void PrintColumns(const std::vector<GridColumn>& columns, const Style& style, std::ostream& out) {
  std::vector<std::string> heads;
  for (const GridColumn& column : columns) heads.push_back(column.head);
  Table table(std::move(heads));
  for (size_t row = 0; row < columns.front().cells.size(); ++row) {
    std::vector<Table::Cell> cells;
    for (const GridColumn& column : columns) cells.push_back(column.cells[row]);
    table.Add(std::move(cells));
  }
  table.Print(style, out);
}

using Readings = std::vector<const LensReading*>;

// A column for each of the scores in `list` of the readings; `head` and `cell` make its head and its cells of them.
template <typename Head, typename Cell>
std::vector<GridColumn> ColumnsOf(const Readings& readings, std::vector<v1::Score> LensReading::*list, Head head,
                                  Cell cell) {
  size_t count = 0;
  for (const LensReading* reading : readings) count = std::max(count, (reading->*list).size());
  std::vector<GridColumn> columns(count);
  for (size_t i = 0; i < count; ++i) {
    for (const LensReading* reading : readings) {
      const std::vector<v1::Score>& scores = reading->*list;
      columns[i].cells.push_back(i < scores.size() ? cell(scores[i]) : Table::Cell(""));
      if (i < scores.size()) columns[i].head = head(i, scores[i]);
    }
  }
  return columns;
}

std::vector<GridColumn> RankColumns(const Readings& readings) {
  const auto head = [](size_t index, const v1::Score&) { return absl::StrCat(index + 1, "."); };
  return ColumnsOf(readings, &LensReading::ranked, head, RankedCell);
}

std::vector<GridColumn> GivenColumns(const Readings& readings) {
  const auto head = [](size_t, const v1::Score& score) { return CellToken(score); };
  return ColumnsOf(readings, &LensReading::given, head, GivenCell);
}

// What columns take beside others.
size_t WidthOf(const std::vector<GridColumn>& columns) {
  size_t width = 0;
  for (const GridColumn& column : columns) width += kGap + column.width();
  return width;
}

// How many of the columns, at least the first, fit beside others that take `taken`.
size_t CountFitting(const std::vector<GridColumn>& columns, size_t width, size_t taken) {
  size_t count = 0;
  for (const GridColumn& column : columns) {
    taken += kGap + column.width();
    if (count > 0 && taken > width) break;
    ++count;
  }
  return count;
}

}  // namespace

LensGrids::LensGrids(const v1::ExtractRequest& request, const RunNames& names, const InputTokens& tokens)
    : names_(names), tokens_(tokens), top_k_(static_cast<size_t>(request.hook_points_size())) {
  for (const v1::HookSelector& hook : request.hooks()) top_k_.push_back(hook.logit_lens().top_k());
}

void LensGrids::Add(const v1::TensorInfo& info, const v1::Score& score) {
  Points& points = runs_[score.run()];
  const auto same = [&](const Point& point) { return point.name == info.name() && point.selector == info.selector(); };
  auto point = std::find_if(points.rbegin(), points.rend(), same);
  if (point == points.rend()) {
    points.push_back({info.name(), info.selector(), {}});
    point = points.rbegin();
  }
  LensReading& reading = point->positions[score.position()];
  const uint32_t top_k = info.selector() < top_k_.size() ? top_k_[info.selector()] : 0;
  (reading.ranked.size() < top_k ? reading.ranked : reading.given).push_back(score);
}

std::string LensGrids::Heading(uint32_t run) const {
  const std::string name = names_.Run(run);
  return absl::StrCat("input ", names_.InputOf(run), name.empty() ? "" : absl::StrCat(", run ", name));
}

void LensGrids::PrintPosition(uint32_t run, uint32_t position, const Points& points, const Style& style,
                              std::ostream& out) const {
  Readings readings;
  GridColumn names{"point", {}};
  for (const Point& point : points) {
    const auto found = point.positions.find(position);
    if (found == point.positions.end()) continue;
    readings.push_back(&found->second);
    names.cells.emplace_back(PointText(point.name));
  }
  const std::vector<GridColumn> ranks = RankColumns(readings);
  const std::vector<GridColumn> given = GivenColumns(readings);
  const size_t fitting = CountFitting(ranks, style.columns, names.width() + WidthOf(given));
  std::vector<GridColumn> columns = {std::move(names)};
  columns.insert(columns.end(), ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(fitting));
  columns.insert(columns.end(), given.begin(), given.end());
  const std::string token = tokens_.At(run, position);
  const std::string heading = absl::StrCat("logit lens of ", Heading(run), ", position ", position,
                                           token.empty() ? "" : absl::StrCat(", after ", token), ": probabilities");
  out << style.Paint(Ink::kHeading, heading) << "\n";
  PrintColumns(columns, style, out);
  if (fitting < ranks.size()) {
    out << "ranks " << fitting + 1 << " to " << ranks.size() << " do not fit; --json has them all\n";
  }
}

void LensGrids::PrintPositions(uint32_t run, const Points& points, const Style& style, std::ostream& out) const {
  std::set<uint32_t> positions;
  for (const Point& point : points) {
    for (const auto& [position, reading] : point.positions) positions.insert(position);
  }
  GridColumn names{"point", {}};
  for (const Point& point : points) names.cells.emplace_back(PointText(point.name));
  std::vector<GridColumn> columns = {names};
  size_t width = names.width();
  out << style.Paint(Ink::kHeading, absl::StrCat("logit lens of ", Heading(run), ": the likeliest next token")) << "\n";
  for (const uint32_t position : positions) {
    GridColumn column{absl::StrCat(position, " ", FitToWidth(tokens_.At(run, position), kWidestToken)), {}};
    for (const Point& point : points) {
      const auto found = point.positions.find(position);
      const bool any = found != point.positions.end() && !found->second.ranked.empty();
      column.cells.push_back(
          any ? Table::Cell(CellToken(found->second.ranked[0]), ShadeOf(std::exp(found->second.ranked[0].logprob())))
              : Table::Cell(""));
    }
    if (columns.size() > 1 && width + kGap + column.width() > style.columns) {
      PrintColumns(columns, style, out);
      out << "\n";
      columns = {names};
      width = names.width();
    }
    width += kGap + column.width();
    columns.push_back(std::move(column));
  }
  PrintColumns(columns, style, out);
}

void LensGrids::Print(const Style& style, std::ostream& out) const {
  for (const auto& [run, points] : runs_) {
    std::set<uint32_t> positions;
    bool one_rank = true;
    for (const Point& point : points) {
      for (const auto& [position, reading] : point.positions) {
        positions.insert(position);
        one_rank &= reading.ranked.size() == 1 && reading.given.empty();
      }
    }
    if (one_rank && positions.size() > 1) {
      out << "\n";
      PrintPositions(run, points, style, out);
      continue;
    }
    for (const uint32_t position : positions) {
      out << "\n";
      PrintPosition(run, position, points, style, out);
    }
  }
}

}  // namespace hydrophone::client
