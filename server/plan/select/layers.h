// Reads which layers of a hook point a request means, for captures and edits alike.
#ifndef HYDROPHONE_SERVER_PLAN_SELECT_LAYERS_H_
#define HYDROPHONE_SERVER_PLAN_SELECT_LAYERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "google/protobuf/repeated_field.h"
#include "server/core/errors.h"
#include "server/core/hook_points.h"
#include "server/core/model_info.h"

namespace hydrophone {

// The paths of the request's fields that say something about layers.
struct LayerPaths {
  std::string name;    // of the hook point's name
  std::string layers;  // of the list
};

// The layers that a name and a list beside it give, counted from the start, in the order asked: all when neither has
// any; {-1} outside the blocks. Adds a violation for each layer that is out of range or listed twice, and for a list
// beside a layer in the name or for a point outside the blocks; the result is then meaningless.
std::vector<int> ReadLayers(const HookName& name, const google::protobuf::RepeatedField<int32_t>& listed,
                            const LayerPaths& paths, const ModelInfo& model, Violations* violations);

// One layer of a point that has `count` layers, counted from the start. Adds a violation when it is out of range.
int ReadLayer(int64_t layer, int count, const std::string& path, Violations* violations);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_SELECT_LAYERS_H_
