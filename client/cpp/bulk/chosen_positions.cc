#include "client/cpp/bulk/chosen_positions.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace hydrophone::client {
namespace {

// A part of a slice; nothing when it is left out.
std::optional<int64_t> Part(const std::vector<std::string>& parts, size_t i) {
  int64_t number = 0;
  if (i < parts.size() && absl::SimpleAtoi(parts[i], &number)) return number;
  return std::nullopt;
}

// Where a slice begins or ends: counted from the end when negative, and clipped, as in Python's slice.indices().
int64_t Bound(std::optional<int64_t> given, int64_t left_out, int64_t tokens, bool backwards) {
  if (!given) return left_out;
  const int64_t from_start = *given < 0 ? *given + tokens : *given;
  return backwards ? std::clamp<int64_t>(from_start, -1, tokens - 1) : std::clamp<int64_t>(from_start, 0, tokens);
}

std::vector<int64_t> Slice(const std::vector<std::string>& parts, int64_t tokens) {
  const int64_t step = Part(parts, 2).value_or(1);
  const bool backwards = step < 0;
  const int64_t begin = Bound(Part(parts, 0), backwards ? tokens - 1 : 0, tokens, backwards);
  const int64_t end = Bound(Part(parts, 1), backwards ? -1 : tokens, tokens, backwards);
  std::vector<int64_t> chosen;
  for (int64_t at = begin; backwards ? at > end : at < end; at += step) chosen.push_back(at);
  return chosen;
}

}  // namespace

std::vector<int64_t> ChosenPositions(const v1::Positions& positions, size_t tokens) {
  const auto count = static_cast<int64_t>(tokens);
  std::vector<int64_t> chosen;
  for (const int32_t at : positions.at()) chosen.push_back(at < 0 ? at + count : at);
  if (!chosen.empty()) return chosen;
  const std::vector<std::string> parts = absl::StrSplit(positions.slice(), ':');
  if (parts.size() > 1 || parts[0].empty()) return Slice(parts, count);
  const int64_t at = Part(parts, 0).value_or(0);
  return {at < 0 ? at + count : at};
}

}  // namespace hydrophone::client
