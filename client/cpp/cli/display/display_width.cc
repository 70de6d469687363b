#include "client/cpp/cli/display/display_width.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "server/base/utf8.h"

namespace hydrophone::client {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x2705, 0x2705},
    {0x270A, 0x270B},   {0x2728, 0x2728},   {0x274C, 0x274C},   {0x2753, 0x2755},   {0x2757, 0x2757},
    {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},   {0x2E80, 0x303E},
    {0x3041, 0x3247},   {0x3250, 0x4DBF},   {0x4E00, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18CFF},
    {0x1AFF0, 0x1B2FF}, {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F200, 0x1F265}, {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F7E0, 0x1F7EB}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};

constexpr Range kCombining[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F}, {0x0670, 0x0670},
    {0x06D6, 0x06DC}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0x302A, 0x302D},
    {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

template <size_t kSize>
bool IsIn(char32_t c, const Range (&ranges)[kSize]) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

size_t WidthOf(char32_t c) {
  if (c < kCombining[0].first) return 1;
  if (IsIn(c, kCombining)) return 0;
  return IsIn(c, kWide) ? 2 : 1;
}

}  // namespace

size_t DisplayWidth(absl::string_view utf8) {
  size_t width = 0;
  while (!utf8.empty()) {
    const CodePoint next = ReadUtf8(utf8);
    width += WidthOf(next.value);
    utf8.remove_prefix(next.size);
  }
  return width;
}

std::string FitToWidth(absl::string_view utf8, size_t width) {
  if (DisplayWidth(utf8) <= width) return std::string(utf8);
  size_t taken = 0;    // bytes
  size_t columns = 1;  // with the mark
  while (taken < utf8.size()) {
    const CodePoint next = ReadUtf8(utf8.substr(taken));
    if (columns + WidthOf(next.value) > width) break;
    columns += WidthOf(next.value);
    taken += next.size;
  }
  return absl::StrCat(utf8.substr(0, taken), "…");
}

}  // namespace hydrophone::client
