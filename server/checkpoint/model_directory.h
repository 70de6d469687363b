// Finds the directory that holds a model, from what the user gave.
#ifndef HYDROPHONE_SERVER_CHECKPOINT_MODEL_DIRECTORY_H_
#define HYDROPHONE_SERVER_CHECKPOINT_MODEL_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"

namespace hydrophone {

// A directory's last component, with bytes that are no UTF-8 escaped.
std::string DirectoryName(const std::string& directory);

struct ModelDirectory {
  std::string path;
  std::string name;  // what requests may call the model; UTF-8
};

// A directory is itself, and its name is its DirectoryName. A directory of the Hugging Face hub's cache
// ("models--openai--gpt2") is the snapshot that its refs/main names, or its only one, and its name is the model's
// ("gpt2"). NOT_FOUND, INVALID_ARGUMENT: what was given is no directory, perhaps a model's name on the hub; or a cache
// without the snapshot.
absl::StatusOr<ModelDirectory> FindModelDirectory(const std::string& given);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECKPOINT_MODEL_DIRECTORY_H_
