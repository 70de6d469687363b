// Hook points' names, with layers in them, and patterns of names. They come from requests, whose strings the guard has
// found to be UTF-8.
#include <cstddef>
#include <cstdint>
#include <string>

#include "server/base/utf8.h"
#include "server/core/hook_points.h"
#include "tests/fakes/fake_server.h"
#include "tests/fuzz/require.h"

namespace hydrophone {
namespace {

bool InCatalogue(const HookPointInfo* info) {
  const absl::Span<const HookPointInfo> points = HookPoints();
  return info >= points.data() && info < points.data() + points.size();
}

void ReadOne(absl::string_view name) {
  const absl::StatusOr<HookName> read = ParseHookName(name);
  if (!read.ok()) return RequireGoodRefusal(read.status());
  Require(InCatalogue(read->info), "a name is a point of the catalogue");
  Require((read->layer_kind == HookName::Layer::kGiven) == !read->layers.empty(), "layers are given or not");
}

void ReadPattern(absl::string_view name, const ModelInfo& model) {
  const absl::StatusOr<std::vector<HookName>> read = ParseHookNames(name, model);
  if (!read.ok()) return RequireGoodRefusal(read.status());
  Require(!read->empty(), "a pattern that names nothing is refused");
  for (const HookName& point : *read) {
    Require(InCatalogue(point.info), "a pattern gives points of the catalogue");
    for (const int layer : point.layers) {
      if (read->size() == 1) continue;  // perhaps a plain name, whose layers are checked later
      Require(layer >= 0 && layer < LayerCount(*point.info, model), "a pattern gives the model's layers");
      const std::string canonical = CanonicalName(point.info->At(layer));
      const absl::StatusOr<HookName> again = ParseHookName(canonical);
      Require(again.ok() && again->info == point.info, "a canonical name is read as the point that has it");
    }
  }
}

}  // namespace
}  // namespace hydrophone

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hydrophone::FakeServer server;
  const std::string name = hydrophone::ToUtf8({reinterpret_cast<const char*>(data), size});
  hydrophone::ReadOne(name);
  hydrophone::ReadPattern(name, server.model);
  return 0;
}
