// Logit lenses for a terminal: what the model would say at each point, layer under layer.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_LENS_GRIDS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_LENS_GRIDS_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "client/cpp/cli/display/input_tokens.h"
#include "client/cpp/cli/display/style.h"
#include "client/cpp/cli/run_names.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// What one point says at one position.
struct LensReading {
  std::vector<v1::Score> ranked;
  std::vector<v1::Score> given;
};

// Takes scores as they come and prints grids at the end.
//
// A grid for each run and position: a row a point, in the order of the forward pass, a column a rank with token and
// probability, then a column for each given token with its probability and its rank, counted from 1. A lens of one rank
// over several positions is one grid a run instead: a row a point, a column a position, the likeliest token in each
// cell. Grids are as wide as the terminal: ranks that do not fit are left out and told, positions go on below.
class LensGrids {
 public:
  // `names` and `tokens` outlive this.
  LensGrids(const v1::ExtractRequest& request, const RunNames& names, const InputTokens& tokens);

  void Add(const v1::TensorInfo& info, const v1::Score& score);

  bool empty() const { return runs_.empty(); }
  void Print(const Style& style, std::ostream& out) const;

 private:
  struct Point {
    std::string name;
    uint32_t selector = 0;
    std::map<uint32_t, LensReading> positions;
  };
  using Points = std::vector<Point>;

  std::string Heading(uint32_t run) const;
  void PrintPosition(uint32_t run, uint32_t position, const Points& points, const Style& style,
                     std::ostream& out) const;
  void PrintPositions(uint32_t run, const Points& points, const Style& style, std::ostream& out) const;

  const RunNames& names_;
  const InputTokens& tokens_;
  std::vector<uint32_t> top_k_;  // by selector
  std::map<uint32_t, Points> runs_;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_DISPLAY_LENS_GRIDS_H_
