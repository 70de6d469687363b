#include "server/plan/parameters_call.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "server/base/messages.h"
#include "server/base/nearest_names.h"
#include "server/core/errors.h"
#include "server/core/name_patterns.h"
#include "server/plan/inputs/inputs.h"

namespace hydrophone {
namespace {

constexpr size_t kMaxNameBytes = 1024;
constexpr size_t kSuggestions = 5;

std::string BareName(const Parameter& parameter) {
  return std::string(absl::StripPrefix(parameter.name, "transformer."));
}

class ParametersPlanner {
 public:
  ParametersPlanner(absl::Span<const Parameter> parameters, ParametersCall* call)
      : parameters_(parameters), call_(call) {}

  void AddAll() {
    for (const Parameter& parameter : parameters_) call_->tensors.push_back({parameter, 0, parameter.name, {}});
  }

  void Add(const v1::ParameterSelector& selector, uint32_t number) {
    const std::string path = absl::StrCat("parameters[", number, "]");
    if (selector.name().size() > kMaxNameBytes) {
      return violations_.Add(absl::StrCat(path, ".name"),
                             absl::StrCat("got ", selector.name().size(), " bytes, expected at most ", kMaxNameBytes));
    }
    const std::vector<const Parameter*> named = Named(selector.name());
    if (named.empty()) return AddUnknown(path, selector.name());
    for (const Parameter* parameter : named) {
      const auto [first, is_new] = selected_by_.emplace(parameter->name, number);
      if (!is_new) {
        violations_.Add(absl::StrCat(path, ".name"), absl::StrCat("got ", parameter->name, ", which parameters[",
                                                                  first->second, "] selects, expected each once"));
        continue;
      }
      CheckRows(selector, path, *parameter);
      call_->tensors.push_back({*parameter, number, selector.name(), {selector.rows().begin(), selector.rows().end()}});
    }
  }

  const Violations& violations() const { return violations_; }

 private:
  std::vector<const Parameter*> Named(const std::string& name) const {
    const NamePattern pattern(absl::StrReplaceAll(name, {{"[", "."}, {"]", ""}}));
    std::vector<const Parameter*> named;
    for (const Parameter& parameter : parameters_) {
      if (pattern.Matches(parameter.name) || pattern.Matches(BareName(parameter))) named.push_back(&parameter);
    }
    return named;
  }

  void AddUnknown(const std::string& path, const std::string& name) {
    std::vector<std::string> names;
    for (const Parameter& parameter : parameters_) {
      names.push_back(absl::StartsWith(name, "transformer.") ? parameter.name : BareName(parameter));
    }
    const std::vector<std::string> nearest = NearestNames(name, names, kSuggestions);
    const std::string expected =
        nearest.empty() ? "a name that list_only gives" : absl::StrCat("for instance ", absl::StrJoin(nearest, ", "));
    violations_.Add(absl::StrCat(path, ".name"),
                    absl::StrCat("got \"", Printable(name), "\", which no parameter has, expected ", expected));
  }

  void CheckRows(const v1::ParameterSelector& selector, const std::string& path, const Parameter& parameter) {
    const int64_t rows = parameter.values.shape[0];
    for (int i = 0; i < selector.rows_size(); ++i) {
      if (selector.rows(i) < rows) continue;
      violations_.Add(absl::StrCat(path, ".rows[", i, "]"), absl::StrCat("got ", selector.rows(i), ", expected below ",
                                                                         rows, ", the rows of ", parameter.name));
    }
  }

  const absl::Span<const Parameter> parameters_;
  ParametersCall* const call_;
  Violations violations_;
  absl::flat_hash_map<std::string, uint32_t> selected_by_;
};

absl::Status CheckSizes(const v1::GetParametersRequest& request, const Limits& limits, ParametersCall* call) {
  if (call->tensors.size() > limits.max_tensors_per_request) {
    return TooLarge("parameters", call->tensors.size(), limits.max_tensors_per_request, "tensors");
  }
  uint64_t elements = 0;
  for (const AskedParameter& tensor : call->tensors) elements += tensor.Elements();
  call->data_bytes = elements * (call->dtype == v1::DTYPE_FLOAT32 ? 4 : 2);
  if (request.max_response_bytes() != 0 && call->data_bytes > request.max_response_bytes()) {
    return TooLarge("max_response_bytes", call->data_bytes, request.max_response_bytes(), "bytes");
  }
  const uint64_t widest = elements * sizeof(float);
  if (widest > limits.max_response_bytes && !call->list_only) {
    return TooLarge("parameters", widest, limits.max_response_bytes, "bytes of float32");
  }
  return absl::OkStatus();
}

absl::Status CheckDigest(const std::string& expected, const ModelInfo& model) {
  if (expected.empty() || expected == model.weights_sha256) return absl::OkStatus();
  return PreconditionFailed("weights_sha256", Printable(expected), model.weights_sha256);
}

}  // namespace

absl::StatusOr<ParametersCall> PlanParameters(const v1::GetParametersRequest& request, std::string request_sha256,
                                              absl::Span<const Parameter> parameters, const RequestContext& context) {
  if (absl::Status checked = CheckPreconditions(request.model(), "", context); !checked.ok()) return checked;
  if (absl::Status checked = CheckDigest(request.weights_sha256(), context.model); !checked.ok()) return checked;
  const auto selectors = static_cast<uint32_t>(request.parameters_size());
  if (selectors > context.limits.max_hooks_per_request) {
    return TooLarge("parameters", selectors, context.limits.max_hooks_per_request, "selectors");
  }
  ParametersCall call;
  call.request_sha256 = std::move(request_sha256);
  call.list_only = request.list_only();
  if (request.dtype() != v1::DTYPE_UNSPECIFIED) call.dtype = request.dtype();
  ParametersPlanner planner(parameters, &call);
  for (uint32_t i = 0; i < selectors; ++i) planner.Add(request.parameters(static_cast<int>(i)), i);
  if (selectors == 0) planner.AddAll();
  if (!planner.violations().empty()) return planner.violations().ToStatus();
  if (absl::Status fits = CheckSizes(request, context.limits, &call); !fits.ok()) return fits;
  return call;
}

}  // namespace hydrophone
