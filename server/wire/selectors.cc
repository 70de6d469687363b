#include "server/wire/selectors.h"

#include <numeric>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

std::string ExpectedLayers(int count) {
  return absl::StrCat("expected ", -count, " to ", count - 1);
}

// A layer as asked, counted from the start; -1 when it is out of range.
int FromTheStart(int64_t layer, int count) {
  if (layer < -count || layer >= count) return -1;
  return static_cast<int>(layer < 0 ? layer + count : layer);
}

std::vector<int> AllLayers(int count) {
  std::vector<int> layers(static_cast<size_t>(count));
  std::iota(layers.begin(), layers.end(), 0);
  return layers;
}

std::vector<int> NamedLayer(const HookName& name, int count, const std::string& path,
                            Violations* violations) {
  int layer = FromTheStart(name.layer, count);
  if (layer < 0)
    violations->Add(path, absl::StrCat("got layer ", name.layer, ", ", ExpectedLayers(count)));
  return {layer};
}

std::vector<int> ListedLayers(const google::protobuf::RepeatedField<int32_t>& listed, int count,
                              const std::string& path, Violations* violations) {
  std::vector<int> layers;
  absl::flat_hash_set<int> seen;
  for (int i = 0; i < listed.size(); ++i) {
    int layer = FromTheStart(listed[i], count);
    if (layer < 0) {
      violations->Add(absl::StrCat(path, ".layers[", i, "]"),
                      absl::StrCat("got ", listed[i], ", ", ExpectedLayers(count)));
    } else if (!seen.insert(layer).second) {
      violations->Add(absl::StrCat(path, ".layers[", i, "]"),
                      absl::StrCat("got layer ", layer, " again, expected each layer once"));
    }
    layers.push_back(layer);
  }
  return layers;
}

// Reads selectors one by one; keeps the first point that cannot be captured.
class SelectorReader {
 public:
  SelectorReader(v1::View default_view, size_t runs, const RequestContext& context,
                 Violations* violations)
      : default_view_(default_view), runs_(runs), context_(context), violations_(violations) {}

  Selector Read(const std::string& name, const std::string& name_path, const v1::HookSelector& hook,
                std::string path) {
    Selector selector;
    selector.path = std::move(path);
    absl::StatusOr<HookName> parsed = ParseHookName(name);
    if (parsed.ok()) {
      selector.site = parsed->site;
      selector.layers = Layers(*parsed, hook, name_path, selector.path);
      if (!HookPointOf(parsed->site).capturable && not_built_.ok()) {
        not_built_ =
            NotBuilt(name_path, absl::StrCat("capturing \"", HookPointOf(parsed->site).name, "\""));
      }
    } else {
      violations_->Add(name_path, std::string(parsed.status().message()));
    }
    if (hook.has_positions()) selector.positions = &hook.positions();
    selector.view = hook.view() == v1::VIEW_UNSPECIFIED ? default_view_ : hook.view();
    if (hook.has_summary() && selector.view != v1::VIEW_SUMMARY) {
      violations_->Add(
          absl::StrCat(selector.path, ".summary"),
          absl::StrCat("got it with ", v1::View_Name(selector.view), ", expected VIEW_SUMMARY"));
    }
    selector.runs = Runs(hook, selector.path);
    return selector;
  }

  const absl::Status& not_built() const { return not_built_; }

 private:
  std::vector<int> Layers(const HookName& name, const v1::HookSelector& hook,
                          const std::string& name_path, const std::string& path) {
    int count = LayerCount(name.site, context_.model);
    if (hook.layers_size() > 0 && (count == 0 || name.layer_kind != HookName::Layer::kAbsent)) {
      violations_->Add(absl::StrCat(path, ".layers"),
                       count == 0 ? "got layers for a point outside the blocks, expected none"
                                  : "got layers beside the one in the name, expected none");
      return {};
    }
    if (count == 0) return {-1};
    if (name.layer_kind == HookName::Layer::kGiven)
      return NamedLayer(name, count, name_path, violations_);
    if (hook.layers_size() > 0) return ListedLayers(hook.layers(), count, path, violations_);
    return AllLayers(count);
  }

  std::vector<uint32_t> Runs(const v1::HookSelector& hook, const std::string& path) {
    absl::flat_hash_set<uint32_t> seen;
    for (int i = 0; i < hook.runs_size(); ++i) {
      uint32_t run = hook.runs(i);
      if (run >= runs_) {
        violations_->Add(absl::StrCat(path, ".runs[", i, "]"),
                         absl::StrCat("got ", run, ", expected an index below ", runs_));
      } else if (!seen.insert(run).second) {
        violations_->Add(absl::StrCat(path, ".runs[", i, "]"),
                         absl::StrCat("got ", run, " again, expected each run once"));
      }
    }
    return {hook.runs().begin(), hook.runs().end()};
  }

  v1::View default_view_;
  size_t runs_;
  const RequestContext& context_;
  Violations* violations_;
  absl::Status not_built_;
};

}  // namespace

absl::StatusOr<std::vector<Selector>> ReadSelectors(const v1::ExtractRequest& request, size_t runs,
                                                    const RequestContext& context,
                                                    Violations* violations) {
  auto total =
      static_cast<size_t>(request.hook_points_size()) + static_cast<size_t>(request.hooks_size());
  if (total == 0)
    violations->Add("hooks", "got no hook points, expected at least one in hook_points or hooks");
  if (total > context.limits.max_hooks_per_request) {
    return TooLarge("hooks", total, context.limits.max_hooks_per_request, "hook points and hooks");
  }
  v1::View view = request.view() == v1::VIEW_UNSPECIFIED ? v1::VIEW_BYTES : request.view();
  SelectorReader reader(view, runs, context, violations);
  std::vector<Selector> selectors;
  for (int i = 0; i < request.hook_points_size(); ++i) {
    std::string path = absl::StrCat("hook_points[", i, "]");
    selectors.push_back(
        reader.Read(request.hook_points(i), path, v1::HookSelector::default_instance(), path));
  }
  for (int i = 0; i < request.hooks_size(); ++i) {
    std::string path = absl::StrCat("hooks[", i, "]");
    selectors.push_back(reader.Read(request.hooks(i).hook_point(),
                                    absl::StrCat(path, ".hook_point"), request.hooks(i), path));
  }
  if (violations->empty() && !reader.not_built().ok()) return reader.not_built();
  return selectors;
}

}  // namespace hydrophone
