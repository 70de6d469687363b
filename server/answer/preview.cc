#include "server/answer/preview.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hydrophone {
namespace {

class Printer {
 public:
  Printer(absl::Span<const float> values, absl::Span<const int64_t> shape)
      : values_(values),
        shape_(shape),
        edge_(shape.size() <= 2   ? 3
              : shape.size() == 3 ? 2
                                  : 1) {}

  std::string Print() {
    if (values_.empty()) return "[]";
    if (shape_.empty()) return Formatted(values_[0], NeedsExponent(std::abs(values_[0])));
    Gather(0, 0);
    Format();
    Append(0);
    return std::move(text_);
  }

 private:
  int64_t Shown(size_t axis) const { return std::min(shape_[axis], 2 * edge_); }
  bool Cut(size_t axis) const { return shape_[axis] > 2 * edge_; }
  // The index along the axis of the element shown at `place`.
  int64_t IndexAt(size_t axis, int64_t place) const {
    return Cut(axis) && place >= edge_ ? shape_[axis] - 2 * edge_ + place : place;
  }

  // Collects the values shown, in order; `offset` counts subarrays of this axis.
  void Gather(size_t axis, int64_t offset) {
    if (axis == shape_.size()) {
      shown_.push_back(values_[static_cast<size_t>(offset)]);
      return;
    }
    for (int64_t place = 0; place < Shown(axis); ++place) {
      Gather(axis + 1, offset * shape_[axis] + IndexAt(axis, place));
    }
  }

  static bool NeedsExponent(float largest) { return largest >= 1e8f || (largest > 0 && largest < 1e-3f); }

  static std::string Formatted(float value, bool exponent) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return exponent ? absl::StrFormat("%.4e", value) : absl::StrFormat("%.4f", value);
  }

  // Writes the values in one form, and finds the width of the widest.
  void Format() {
    float largest = 0;
    for (float value : shown_) {
      if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    }
    bool exponent = NeedsExponent(largest);
    for (float value : shown_) {
      words_.push_back(Formatted(value, exponent));
      width_ = std::max(width_, words_.back().size());
    }
  }

  void AppendWord() {
    const std::string& word = words_[next_word_++];
    text_.append(width_ - word.size(), ' ').append(word);
  }

  // What stands between two subarrays of an axis: a space, or line breaks (one more for each deeper
  // axis) and an indent.
  std::string Separator(size_t axis) const {
    size_t deeper = shape_.size() - axis - 1;
    if (deeper == 0) return " ";
    return absl::StrCat(std::string(deeper, '\n'), std::string(axis + 1, ' '));
  }

  void Append(size_t axis) {
    if (axis == shape_.size()) return AppendWord();
    text_ += '[';
    for (int64_t place = 0; place < Shown(axis); ++place) {
      if (place > 0) text_ += Separator(axis);
      if (Cut(axis) && place == edge_) absl::StrAppend(&text_, "...", Separator(axis));
      Append(axis + 1);
    }
    text_ += ']';
  }

  absl::Span<const float> values_;
  absl::Span<const int64_t> shape_;
  int64_t edge_;  // how many are shown at each end of an axis that is cut
  std::vector<float> shown_;
  std::vector<std::string> words_;  // of shown_
  size_t width_ = 0;
  size_t next_word_ = 0;
  std::string text_;
};

}  // namespace

std::string PreviewOf(absl::Span<const float> values, absl::Span<const int64_t> shape) {
  return Printer(values, shape).Print();
}

}  // namespace hydrophone
