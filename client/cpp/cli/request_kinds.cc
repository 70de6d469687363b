#include "client/cpp/cli/request_kinds.h"

#include <algorithm>
#include <vector>

namespace hydrophone::client {
namespace {

std::vector<v1::HookSelector> AllHooks(const v1::ExtractRequest& request) {
  std::vector<v1::HookSelector> hooks(static_cast<size_t>(request.hook_points_size()));
  hooks.insert(hooks.end(), request.hooks().begin(), request.hooks().end());
  return hooks;
}

bool IsBytes(const v1::HookSelector& hook, const v1::ExtractRequest& request) {
  const v1::View view = hook.view() != v1::VIEW_UNSPECIFIED ? hook.view() : request.view();
  const bool scores = hook.has_logit_lens() && !hook.logit_lens().logits();
  return !scores && (view == v1::VIEW_UNSPECIFIED || view == v1::VIEW_BYTES);
}

// How many of the hook's runs are compared, and how many are not.
struct RunKinds {
  int compared = 0;
  int plain = 0;
};

RunKinds RunsOf(const v1::HookSelector& hook, const v1::ExtractRequest& request) {
  RunKinds kinds;
  const auto count = [&](const v1::Run& run) { ++(run.has_baseline() ? kinds.compared : kinds.plain); };
  for (const uint32_t run : hook.runs()) {
    if (run < static_cast<uint32_t>(request.runs_size())) count(request.runs(static_cast<int>(run)));
  }
  if (hook.runs().empty()) std::for_each(request.runs().begin(), request.runs().end(), count);
  if (request.runs().empty()) ++kinds.plain;
  return kinds;
}

}  // namespace

bool SendsBytes(const v1::ExtractRequest& request) {
  const auto hooks = AllHooks(request);
  return std::any_of(hooks.begin(), hooks.end(), [&](const v1::HookSelector& hook) {
    return IsBytes(hook, request) && RunsOf(hook, request).plain > 0;
  });
}

bool SendsValues(const v1::ExtractRequest& request) {
  const auto hooks = AllHooks(request);
  return request.metrics_size() > 0 || std::any_of(hooks.begin(), hooks.end(), [&](const v1::HookSelector& hook) {
           return !IsBytes(hook, request) || RunsOf(hook, request).compared > 0;
         });
}

bool SendsBfloat16(const v1::ExtractRequest& request) {
  const auto hooks = AllHooks(request);
  return std::any_of(hooks.begin(), hooks.end(), [&](const v1::HookSelector& hook) {
    const v1::Dtype dtype = hook.dtype() != v1::DTYPE_UNSPECIFIED ? hook.dtype() : request.dtype();
    return IsBytes(hook, request) && dtype == v1::DTYPE_BFLOAT16;
  });
}

}  // namespace hydrophone::client
