#include "client/cpp/cli/selection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hydrophone::client {
namespace {

// More layers, heads or features than any model has: a slip such as "0-999999999" must not cost memory.
constexpr int32_t kMostIndices = 100'000;

absl::Status Unexpected(absl::string_view what, absl::string_view got, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": got \"", got, "\", expected ", expected));
}

bool ParseInteger(absl::string_view text, int32_t* value) {
  return absl::SimpleAtoi(absl::StripAsciiWhitespace(text), value);
}

// "3-6"; false when it is not written so.
bool ParseRange(absl::string_view text, int32_t* first, int32_t* last) {
  const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(text, absl::MaxSplits('-', 1));
  return ParseInteger(ends.first, first) && ParseInteger(ends.second, last) && *last >= 0;
}

// Each part empty or a number, and at most three of them.
bool IsSlice(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  return parts.size() <= 3 && std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           int32_t number = 0;
           return absl::StripAsciiWhitespace(part).empty() || ParseInteger(part, &number);
         });
}

// "blocks.3.hook_z", "transformer.h.*.mlp", "hidden_states[3]".
bool NamesALayer(absl::string_view name) {
  if (absl::EndsWith(name, "]")) return true;
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '.');
  return std::any_of(parts.begin(), parts.end(), [](absl::string_view part) {
    int32_t number = 0;
    return part == "*" || ParseInteger(part, &number);
  });
}

}  // namespace

absl::StatusOr<std::vector<int32_t>> ParseLayers(absl::string_view text, absl::string_view what) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty() || text == "all") return std::vector<int32_t>();
  return ParseIndices(what, text);
}

absl::StatusOr<std::vector<int32_t>> ParseIndices(absl::string_view what, absl::string_view text) {
  constexpr char kExpected[] = "numbers (negative from the end) and ranges, as in 10 or 0,5,-1 or 3-6";
  std::vector<int32_t> indices;
  const auto room = [&indices] { return kMostIndices - static_cast<int64_t>(indices.size()); };
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    int32_t first = 0;
    int32_t last = 0;
    if (ParseInteger(part, &first)) {
      indices.push_back(first);
    } else if (ParseRange(part, &first, &last) && first <= last && last - first < room()) {
      for (int32_t index = first; index <= last; ++index) indices.push_back(index);
    } else {
      return Unexpected(what, part, kExpected);
    }
  }
  return indices;
}

absl::StatusOr<v1::Positions> ParsePositions(absl::string_view text, absl::string_view what) {
  constexpr char kExpected[] =
      "\"last\", \"first\", \"all\", a list as in 0,5,-1 or a slice as NumPy writes it, as in -1: or ::2";
  v1::Positions positions;
  absl::string_view inner = absl::StripAsciiWhitespace(text);
  if (absl::ConsumePrefix(&inner, "[") && !absl::ConsumeSuffix(&inner, "]")) {
    return Unexpected(what, text, kExpected);
  }
  if (inner == "all") inner = ":";
  if (inner == "last" || inner == "first") {
    positions.add_at(inner == "last" ? -1 : 0);
    return positions;
  }
  if (inner.find(':') != absl::string_view::npos) {
    if (!IsSlice(inner)) return Unexpected(what, text, kExpected);
    positions.set_slice(std::string(inner));
    return positions;
  }
  for (const absl::string_view part : absl::StrSplit(inner, ',')) {
    int32_t position = 0;
    if (!ParseInteger(part, &position)) return Unexpected(what, text, kExpected);
    positions.add_at(position);
  }
  return positions;
}

bool HasOwnLayers(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('@', 1));
  return parts.first.size() < text.size() || NamesALayer(parts.first);
}

absl::StatusOr<v1::HookSelector> ParseHook(absl::string_view text, const std::vector<int32_t>& common_layers) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('@', 1));
  if (parts.first.empty()) return Unexpected("hook point", text, "HOOK or HOOK@LAYERS");
  v1::HookSelector selector;
  selector.set_hook_point(std::string(parts.first));
  std::vector<int32_t> layers = common_layers;
  if (HasOwnLayers(text)) {
    const auto own = ParseLayers(parts.second);
    if (!own.ok()) return own.status();
    layers = *own;
  }
  selector.mutable_layers()->Assign(layers.begin(), layers.end());
  return selector;
}

}  // namespace hydrophone::client
