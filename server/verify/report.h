// What Verify found, as plain numbers.
#ifndef HYDROPHONE_SERVER_VERIFY_REPORT_H_
#define HYDROPHONE_SERVER_VERIFY_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace hydrophone {

// One check. `passed` says whether `value` is within `tolerance`; a value that is not a number
// never is.
struct Check {
  std::string name;  // "A3.reconstruction", "reference.blocks.3.hook_attn_out", ...
  bool passed = false;
  std::string measure;  // what `value` is, in a few words: "largest difference", "share of equal elements"
  double value = 0;
  double tolerance = 0;
  std::string detail;  // what was compared with what, and why this tolerance
};

// Pearson's r of two arrays over all elements, and over the elements that the mask leaves. NaN when either
// array is constant (or empty).
struct Correlation {
  std::string name;
  double r = 0;
  double r_masked = 0;
};

// How often the mask hides one position or dimension.
struct HiddenCount {
  uint32_t index = 0;
  uint64_t hidden = 0;

  friend bool operator==(const HiddenCount&, const HiddenCount&) = default;
};

// What the mask hides at one layer.
struct MaskReport {
  uint64_t total = 0;
  uint64_t hidden = 0;
  std::vector<HiddenCount> positions;   // within their own input, all inputs together; most hidden first; at most 8
  std::vector<HiddenCount> dimensions;  // most hidden first; at most 8
};

// How one block's reconstruction closes.
struct LayerReport {
  int layer = 0;
  uint64_t different_elements = 0;  // whose bits differ between H[L+1] and (H[L] + attn) + mlp
  double max_abs = 0;               // of the residual; NaN when the residual holds a NaN
  double mean_abs = 0;
  std::vector<Correlation> correlations;  // four
  MaskReport mask;
  std::vector<float> residual;  // H[L+1] - ((H[L] + attn) + mlp), [tokens, d]; empty unless asked for
};

// The last hidden state.
struct FinalStateReport {
  double max_abs_input_difference = 0;    // B1
  double max_abs_raw_difference = 0;      // B2
  double max_abs_ln_f_difference = 0;     // B3
  std::vector<double> raw_profile_norms;  // B5: of hidden_states[0..N-1], then of the raw last output
  double normalised_norm = 0;             // B5: of hidden_states[N]
  std::string profile_note;
  // ln_f(raw last output) - hidden_states[N], [tokens, d]; empty unless asked for.
  std::vector<float> ln_f_residual;
};

struct VerifyReport {
  bool passed = false;  // every check passed
  std::vector<Check> checks;
  std::vector<LayerReport> layers;
  FinalStateReport final_state;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_REPORT_H_
