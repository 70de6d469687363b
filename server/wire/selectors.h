// Reads which hook points a request selects: names, layers, runs and views.
#ifndef HYDROPHONE_SERVER_WIRE_SELECTORS_H_
#define HYDROPHONE_SERVER_WIRE_SELECTORS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/core/errors.h"
#include "server/core/hook_points.h"
#include "server/wire/extract_call.h"

namespace hydrophone {

// One of a request's selectors, its names resolved.
struct Selector {
  std::string path;  // "hook_points[0]", "hooks[2]"
  Site site = Site::kEmbed;
  std::vector<int> layers;                   // in the order asked; {-1} outside the blocks
  std::vector<uint32_t> runs;                // by the request's number; empty: all
  const v1::Positions* positions = nullptr;  // null: all; points into the request
  v1::View view = v1::VIEW_BYTES;
};

// hook_points first, then hooks. A selector with a violation comes back with whatever could be
// read, so that the others keep their numbers. `runs`: how many the request has. INVALID_ARGUMENT
// (TOO_LARGE) when there are more selectors than the limits allow; UNIMPLEMENTED when all is well
// and one names a point that this server does not capture.
absl::StatusOr<std::vector<Selector>> ReadSelectors(const v1::ExtractRequest& request, size_t runs,
                                                    const RequestContext& context,
                                                    Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_WIRE_SELECTORS_H_
