#include "server/verify/final_state.h"

#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/verify/bits.h"
#include "server/verify/checks.h"

namespace hydrophone {
namespace {

// More than this share of equal elements means that ln_f was left out; by chance hardly any are
// equal.
constexpr double kMostEqual = 0.5;

std::string ProfileNote(const FinalStateReport& report, size_t blocks) {
  return absl::StrFormat(
      "hidden_states[%d] is after ln_f: its mean norm %.6g does not continue the raw profile, "
      "which ends at %.6g. A profile over "
      "layers uses the raw states throughout: hidden_states[0] to [%d], then "
      "blocks.%d.hook_resid_post.",
      blocks, report.normalised_norm, report.raw_profile_norms.back(), blocks - 1, blocks - 1);
}

size_t CountEqual(absl::Span<const float> a, absl::Span<const float> b) { return a.size() - CountDifferentBits(a, b); }

Check BlockInputsCheck(const FinalStateArrays& arrays, const FinalStateReport& report) {
  size_t different = 0;
  for (size_t i = 0; i < arrays.block_inputs.size(); ++i) {
    different += CountDifferentBits(arrays.states[i], arrays.block_inputs[i]);
  }
  return MakeExactCheck(
      "B1.block_inputs", report.max_abs_input_difference, different,
      absl::StrCat("largest |hidden_states[i] - what enters block i|, i = 0 to ", arrays.block_inputs.size() - 1,
                   ", captured in separate passes; none, since they name one value"));
}

Check RawCheck(const FinalStateArrays& arrays) {
  const size_t blocks = arrays.block_inputs.size();
  const double total = static_cast<double>(arrays.raw.size());
  return MakeCheck("B2.raw_is_not_normalised", "share of equal elements",
                   static_cast<double>(CountEqual(arrays.raw, arrays.states[blocks])) / total, kMostEqual,
                   absl::StrCat("share of elements in which hidden_states[", blocks, "] equals blocks.", blocks - 1,
                                ".hook_resid_post; ln_f lies between them and moves nearly all, so "
                                "most are equal only when it was "
                                "left out"));
}

Check LnFCheck(const FinalStateArrays& arrays, const FinalStateReport& report) {
  const size_t blocks = arrays.block_inputs.size();
  return MakeExactCheck("B3.ln_f", report.max_abs_ln_f_difference,
                        CountDifferentBits(arrays.ln_f_of_raw, arrays.states[blocks]),
                        absl::StrCat("largest |ln_f(blocks.", blocks - 1, ".hook_resid_post) - hidden_states[", blocks,
                                     "]|, with the checkpoint's ln_f on a separately captured raw "
                                     "output; none, since the library is "
                                     "the same"));
}

}  // namespace

double MeanNorm(absl::Span<const float> values, size_t width) {
  const size_t rows = values.size() / width;
  if (rows == 0) return std::numeric_limits<double>::quiet_NaN();
  double norms = 0;
  for (size_t row = 0; row < rows; ++row) {
    double squares = 0;
    for (float value : values.subspan(row * width, width)) {
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    norms += std::sqrt(squares);
  }
  return norms / static_cast<double>(rows);
}

FinalStateReport MakeFinalStateReport(const FinalStateArrays& arrays, size_t width, bool keep_residual) {
  const size_t blocks = arrays.block_inputs.size();
  const absl::Span<const float> last = arrays.states[blocks];
  FinalStateReport report;
  for (size_t i = 0; i < blocks; ++i) {
    report.max_abs_input_difference =
        LargerOrNan(report.max_abs_input_difference, LargestDifference(arrays.states[i], arrays.block_inputs[i]));
    report.raw_profile_norms.push_back(MeanNorm(arrays.states[i], width));
  }
  report.raw_profile_norms.push_back(MeanNorm(arrays.raw, width));
  report.normalised_norm = MeanNorm(last, width);
  report.max_abs_raw_difference = LargestDifference(arrays.raw, last);
  report.max_abs_ln_f_difference = LargestDifference(arrays.ln_f_of_raw, last);
  report.profile_note = ProfileNote(report, blocks);
  if (keep_residual) {
    for (size_t i = 0; i < last.size(); ++i) report.ln_f_residual.push_back(arrays.ln_f_of_raw[i] - last[i]);
  }
  return report;
}

std::vector<Check> FinalStateChecks(const FinalStateArrays& arrays, const FinalStateReport& report) {
  return {BlockInputsCheck(arrays, report), RawCheck(arrays), LnFCheck(arrays, report)};
}

}  // namespace hydrophone
