// Summaries, comparisons, logit lenses and metrics as tables for a terminal.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_VALUE_TABLES_H_
#define HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_VALUE_TABLES_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "client/cpp/cli/display/input_tokens.h"
#include "client/cpp/cli/display/lens_grids.h"
#include "client/cpp/cli/display/style.h"
#include "client/cpp/cli/display/table.h"
#include "client/cpp/cli/run_names.h"
#include "client/cpp/received.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// "[3, 768]".
std::string ShapeText(const v1::TensorInfo& info);

// Takes values as they come and prints a table of each kind at the end.
class ValueTables {
 public:
  // Both outlive this.
  ValueTables(const v1::ExtractRequest& request, const RunNames& names);

  // A summary, a comparison, or scores; false for other values, which are left out.
  bool Add(const v1::Values& values);
  // The tokens that positions are shown with; before the input's values.
  void AddInput(const v1::InputInfo& input) { tokens_.Add(input); }

  // That bytes came.
  void Add(const ReceivedTensor& tensor);

  // Those that have rows, an empty line before each.
  void Print(const Style& style, std::ostream& out) const;

 private:
  // A table and whether it has rows.
  struct Rows {
    Table table;
    bool any = false;
    void Add(std::vector<std::string> row) {
      table.Add(std::move(row));
      any = true;
    }
  };

  // The columns of a table: `first`, then those of input and run, then `rest`.
  Rows RowsOf(const char* first, const std::vector<std::string>& rest) const;
  std::vector<std::string> RowOf(const v1::TensorInfo& info) const;
  void AddSummary(const v1::Values& values);
  void AddComparison(const v1::Values& values);
  void AddMetric(const v1::Score& score);
  // The numbers of a lens that are not about a token: one row for each position.
  void AddLensNumbers(const v1::Values& values);

  const RunNames& names_;
  InputTokens tokens_;
  const uint32_t first_metric_;  // the number of the request's first selector that is a metric
  Rows tensors_;
  Rows summaries_;
  Rows extremes_;
  Rows comparisons_;
  LensGrids lens_;
  Rows lens_numbers_;
  Rows metrics_;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_VALUE_TABLES_H_
