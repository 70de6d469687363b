#include "server/checkpoint/tensor_names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hydrophone {
namespace {

constexpr absl::string_view kWrappers[] = {"_orig_mod.", "module."};
constexpr absl::string_view kOtherHeads[] = {"score.", "classifier.", "qa_outputs.", "multiple_choice_head."};

}  // namespace

std::string WrapperPrefix(absl::Span<const std::string> names) {
  std::string prefix;
  bool longer = !names.empty();
  while (longer) {
    longer = false;
    for (const absl::string_view wrapper : kWrappers) {
      const std::string more = absl::StrCat(prefix, wrapper);
      if (!std::all_of(names.begin(), names.end(), [&](const auto& name) { return absl::StartsWith(name, more); })) {
        continue;
      }
      prefix = more;
      longer = true;
    }
  }
  return prefix;
}

std::string BareName(absl::string_view name, absl::string_view wrapper_prefix) {
  return std::string(absl::StripPrefix(absl::StripPrefix(name, wrapper_prefix), "transformer."));
}

bool IsOldBuffer(absl::string_view bare_name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(bare_name, '.');
  return parts.size() == 4 && parts[0] == "h" && !parts[1].empty() &&
         std::all_of(parts[1].begin(), parts[1].end(), absl::ascii_isdigit) && parts[2] == "attn" &&
         (parts[3] == "bias" || parts[3] == "masked_bias");
}

bool IsOtherHead(absl::string_view bare_name) {
  return std::any_of(std::begin(kOtherHeads), std::end(kOtherHeads),
                     [&](absl::string_view head) { return absl::StartsWith(bare_name, head); });
}

}  // namespace hydrophone
