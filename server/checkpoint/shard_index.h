// model.safetensors.index.json: which tensor lies in which file of a checkpoint in several files.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_SHARD_INDEX_H_
#define HYDROPHONE_SERVER_CHECKPOINT_SHARD_INDEX_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// Tensor name -> name of the file that holds it. Every file name is a plain one that ends with ".safetensors", so that
// an index cannot lead out of its directory. INVALID_ARGUMENT when the text is no such index.
absl::StatusOr<std::map<std::string, std::string>> ParseShardIndex(absl::string_view json);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_SHARD_INDEX_H_
