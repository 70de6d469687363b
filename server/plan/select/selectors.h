// Reads what a request selects: hook points with their layers and runs, and metrics.
#ifndef HYDROPHONE_SERVER_PLAN_SELECT_SELECTORS_H_
#define HYDROPHONE_SERVER_PLAN_SELECT_SELECTORS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/core/errors.h"
#include "server/core/hook_points.h"
#include "server/core/plan.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// One of a request's hook points, hooks or metrics, its names resolved. A pattern becomes one for each of its points.
struct Selector {
  uint32_t number = 0;                                // through hook_points, hooks and metrics
  std::string asked_name;                             // the name or pattern, as the request has it; a metric's key
  std::string path;                                   // "hook_points[0]", "hooks[2]", "metrics[1]"
  const HookPointInfo* info = &HookPoints().front();  // a row of the catalogue; the first one after a bad name
  std::vector<int> layers;                            // in the order asked; {-1} outside the blocks
  std::vector<uint32_t> runs;                         // by the request's number; empty: all
  const v1::Positions* positions = nullptr;           // null: all; outlives this
  const v1::Units* units = nullptr;                   // null: all; points into the request

  Reduction reduction = Reduction::kNone;
  std::shared_ptr<const Projection> projection;  // null: none; ReadRowForm checks its width
  std::shared_ptr<const Readout> readout;        // null: none
  std::string metric;                            // the metric's key
  // Whether the answer is scores, not a value.
  bool has_scores() const { return readout != nullptr && readout->scores(); }

  v1::View view = v1::VIEW_BYTES;
  v1::Dtype dtype = v1::DTYPE_FLOAT32;
  std::shared_ptr<const v1::SummaryOptions> summary;  // null: moments alone
};

// hook_points first, then hooks, then metrics; at least one for each. A selector with a violation comes back with
// whatever could be read, so that the others keep their numbers. `runs`: how many runs the request has.
// INVALID_ARGUMENT (TOO_LARGE) when there are more selectors than the limits allow.
absl::StatusOr<std::vector<Selector>> ReadSelectors(const v1::ExtractRequest& request, size_t runs,
                                                    const RequestContext& context, Violations* violations);

// The runs that a selector or metric lists in `path`.runs. Adds a violation for a number that is not below `runs`,
// and for one that is listed twice.
std::vector<uint32_t> ReadRunNumbers(const google::protobuf::RepeatedField<uint32_t>& listed, absl::string_view path,
                                     size_t runs, Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_SELECTORS_H_
