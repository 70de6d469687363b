// Reads a request's metrics: numbers about the logits of runs.
#ifndef HYDROPHONE_SERVER_PLAN_SELECT_METRICS_H_
#define HYDROPHONE_SERVER_PLAN_SELECT_METRICS_H_

#include <cstddef>
#include <string>

#include "hydrophone/v1/extract.pb.h"
#include "server/core/errors.h"
#include "server/plan/inputs/extract_call.h"
#include "server/plan/select/selectors.h"

namespace hydrophone {

// The metric as a selector of the logits with a readout. `runs`: how many runs the request has. Adds violations for the
// key, the runs, the tokens, and for a metric of no kind.
Selector ReadMetric(const v1::Metric& metric, std::string path, size_t runs, const RequestContext& context,
                    Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_METRICS_H_
