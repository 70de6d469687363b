#include "server/plan/select/selectors.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "server/plan/select/layers.h"
#include "server/plan/select/metrics.h"
#include "server/plan/select/transforms.h"

namespace hydrophone {
namespace {

// Reads selectors one by one.
class SelectorReader {
 public:
  SelectorReader(const v1::ExtractRequest& request, size_t runs, const RequestContext& context, Violations* violations)
      : request_(request), runs_(runs), context_(context), violations_(violations) {}

  Selector Read(const std::string& name, const std::string& name_path, const v1::HookSelector& hook,
                std::string path) const {
    Selector selector;
    selector.path = std::move(path);
    absl::StatusOr<HookName> parsed = ParseHookName(name);
    if (parsed.ok()) {
      selector.info = parsed->info;
      selector.layers = ReadLayers(*parsed, hook.layers(), {name_path, absl::StrCat(selector.path, ".layers")},
                                   context_.model, violations_);
    } else {
      violations_->Add(name_path, std::string(parsed.status().message()));
    }
    if (hook.has_positions()) selector.positions = &hook.positions();
    selector.runs = ReadRunNumbers(hook.runs(), selector.path, runs_, violations_);
    ReadTransforms(hook, request_, context_, violations_, &selector);
    return selector;
  }

 private:
  const v1::ExtractRequest& request_;
  size_t runs_;
  const RequestContext& context_;
  Violations* violations_;
};

}  // namespace

std::vector<uint32_t> ReadRunNumbers(const google::protobuf::RepeatedField<uint32_t>& listed, absl::string_view path,
                                     size_t runs, Violations* violations) {
  absl::flat_hash_set<uint32_t> seen;
  for (int i = 0; i < listed.size(); ++i) {
    uint32_t run = listed[i];
    if (run >= runs) {
      violations->Add(absl::StrCat(path, ".runs[", i, "]"),
                      absl::StrCat("got ", run, ", expected an index below ", runs));
    } else if (!seen.insert(run).second) {
      violations->Add(absl::StrCat(path, ".runs[", i, "]"),
                      absl::StrCat("got ", run, " again, expected each run once"));
    }
  }
  return {listed.begin(), listed.end()};
}

absl::StatusOr<std::vector<Selector>> ReadSelectors(const v1::ExtractRequest& request, size_t runs,
                                                    const RequestContext& context, Violations* violations) {
  const auto total = static_cast<size_t>(request.hook_points_size()) + static_cast<size_t>(request.hooks_size()) +
                     static_cast<size_t>(request.metrics_size());
  if (total == 0) {
    violations->Add("hooks", "got nothing to capture, expected at least one of hook_points, hooks and metrics");
  }
  if (total > context.limits.max_hooks_per_request) {
    return TooLarge("hooks", total, context.limits.max_hooks_per_request, "hook points, hooks and metrics");
  }
  const SelectorReader reader(request, runs, context, violations);
  std::vector<Selector> selectors;
  for (int i = 0; i < request.hook_points_size(); ++i) {
    std::string path = absl::StrCat("hook_points[", i, "]");
    selectors.push_back(reader.Read(request.hook_points(i), path, v1::HookSelector::default_instance(), path));
  }
  for (int i = 0; i < request.hooks_size(); ++i) {
    std::string path = absl::StrCat("hooks[", i, "]");
    selectors.push_back(
        reader.Read(request.hooks(i).hook_point(), absl::StrCat(path, ".hook_point"), request.hooks(i), path));
  }
  for (int i = 0; i < request.metrics_size(); ++i) {
    selectors.push_back(ReadMetric(request.metrics(i), absl::StrCat("metrics[", i, "]"), runs, context, violations));
  }
  return selectors;
}

}  // namespace hydrophone
