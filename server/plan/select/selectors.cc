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

  // Adds the selectors that `name` and `hook` become; `name_path` is the field that has the name.
  void Read(const std::string& name, const std::string& name_path, const v1::HookSelector& hook, std::string path,
            std::vector<Selector>* selectors) const {
    Selector selector;
    selector.path = std::move(path);
    selector.number = selectors->empty() ? 0 : selectors->back().number + 1;
    selector.asked_name = name;
    if (hook.has_positions()) selector.positions = &hook.positions();
    selector.runs = ReadRunNumbers(hook.runs(), selector.path, runs_, violations_);
    const LayerPaths paths{name_path, absl::StrCat(selector.path, ".layers")};
    for (const HookName& point : Points(name, name_path)) {
      if (point.info != nullptr) {
        selector.info = point.info;
        selector.layers = ReadLayers(point, hook.layers(), paths, context_.model, violations_);
      }
      ReadTransforms(hook, request_, context_, violations_, &selector);
      selectors->push_back(selector);
    }
  }

 private:
  // The points of the name; after a violation one that is null.
  std::vector<HookName> Points(const std::string& name, const std::string& name_path) const {
    absl::StatusOr<std::vector<HookName>> points = ParseHookNames(name, context_.model);
    if (points.ok()) return *std::move(points);
    violations_->Add(name_path, std::string(points.status().message()));
    return {HookName{}};
  }

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
    reader.Read(request.hook_points(i), path, v1::HookSelector::default_instance(), path, &selectors);
  }
  for (int i = 0; i < request.hooks_size(); ++i) {
    std::string path = absl::StrCat("hooks[", i, "]");
    const v1::HookSelector& hook = request.hooks(i);
    reader.Read(hook.hook_point(), absl::StrCat(path, ".hook_point"), hook, path, &selectors);
  }
  for (int i = 0; i < request.metrics_size(); ++i) {
    Selector metric = ReadMetric(request.metrics(i), absl::StrCat("metrics[", i, "]"), runs, context, violations);
    metric.number = static_cast<uint32_t>(request.hook_points_size() + request.hooks_size() + i);
    metric.asked_name = metric.metric;
    selectors.push_back(std::move(metric));
  }
  return selectors;
}

}  // namespace hydrophone
