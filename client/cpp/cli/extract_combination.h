// What the options of `hydrophone extract` ask for together, and which of them do not go together.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_COMBINATION_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_COMBINATION_H_

#include <string>

#include "absl/status/status.h"
#include "client/cpp/cli/extract_options.h"

namespace hydrophone::client {

// The model's own output, which has no layers.
inline constexpr char kOutputHook[] = "logits";

// Whether a logit lens gives scores.
bool AsksForLens(const ExtractOptions& options);

// Whether the terminal shows a logit lens, which ends with the model's own output there.
bool ShowsGrids(const ExtractOptions& options);

// Whether a metric compares an edited run with the clean one.
bool AsksForDivergence(const ExtractOptions& options);

// Whether captures of edited runs come as comparisons with the clean ones.
bool Compares(const ExtractOptions& options);

// Whether the hook to look at goes without saying.
bool HasDefaultHook(const ExtractOptions& options);

// The view of the captures, as --view names it: the one given, or what suits the output.
std::string ViewName(const ExtractOptions& options);

// Refuses options that contradict each other, and those that would change nothing beside the others.
absl::Status CheckCombination(const ExtractOptions& options);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EXTRACT_COMBINATION_H_
