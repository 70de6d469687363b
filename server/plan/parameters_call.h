// A GetParameters request, read: which parameters are sent, and how much of each.
#ifndef HYDROPHONE_SERVER_PLAN_PARAMETERS_CALL_H_
#define HYDROPHONE_SERVER_PLAN_PARAMETERS_CALL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hydrophone/v1/parameters.pb.h"
#include "server/core/parameter.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// One tensor of the answer.
struct AskedParameter {
  Parameter parameter;
  uint32_t selector = 0;       // which of the request's selectors asked for it
  std::string asked_name;      // as the request has it; the parameter's name when the request lists none
  std::vector<uint32_t> rows;  // along the first dimension, in sending order; empty: all

  // The dimensions of what is sent.
  std::vector<int64_t> Shape() const {
    std::vector<int64_t> shape = parameter.values.shape;
    if (!rows.empty()) shape[0] = static_cast<int64_t>(rows.size());
    return shape;
  }
  // Elements of one row, and of what is sent.
  uint64_t RowElements() const {
    return parameter.values.elements() / static_cast<uint64_t>(parameter.values.shape[0]);
  }
  uint64_t Elements() const { return rows.empty() ? parameter.values.elements() : rows.size() * RowElements(); }
};

struct ParametersCall {
  std::vector<AskedParameter> tensors;  // in sending order
  v1::Dtype dtype = v1::DTYPE_FLOAT32;
  bool list_only = false;
  uint64_t data_bytes = 0;  // of all tensors, in `dtype`
  std::string request_sha256;
};

// `parameters`: the model's. INVALID_ARGUMENT with every violation's field path (TOO_LARGE as GetParametersRequest
// says), or FAILED_PRECONDITION. Thread-safe.
absl::StatusOr<ParametersCall> PlanParameters(const v1::GetParametersRequest& request, std::string request_sha256,
                                              absl::Span<const Parameter> parameters, const RequestContext& context);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_PARAMETERS_CALL_H_
