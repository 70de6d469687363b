#include "server/answer/preview.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tests/fakes/host_tensors.h"

namespace hydrophone {
namespace {

std::string Counting(std::vector<int64_t> shape) {
  TensorView view = CountingTensor(shape);
  return PreviewOf(view.floats(), shape);
}

// What NumPy 2 printed with precision=4, threshold=0, floatmode="fixed", suppress_small=True,
// edgeitems as in the header.
TEST(PreviewOf, PrintsAsNumPyDoes) {
  std::vector<float> eighths(80);
  for (size_t i = 0; i < eighths.size(); ++i) eighths[i] = (static_cast<float>(i) - 37) / 8;
  EXPECT_EQ(PreviewOf(eighths, {8, 10}),
            "[[-4.6250 -4.5000 -4.3750 ... -3.7500 -3.6250 -3.5000]\n"
            " [-3.3750 -3.2500 -3.1250 ... -2.5000 -2.3750 -2.2500]\n"
            " [-2.1250 -2.0000 -1.8750 ... -1.2500 -1.1250 -1.0000]\n"
            " ...\n"
            " [ 1.6250  1.7500  1.8750 ...  2.5000  2.6250  2.7500]\n"
            " [ 2.8750  3.0000  3.1250 ...  3.7500  3.8750  4.0000]\n"
            " [ 4.1250  4.2500  4.3750 ...  5.0000  5.1250  5.2500]]");
  EXPECT_EQ(PreviewOf({eighths.data(), 4}, {4}), "[-4.6250 -4.5000 -4.3750 -4.2500]");
  EXPECT_EQ(PreviewOf({eighths.data(), 14}, {2, 7}),
            "[[-4.6250 -4.5000 -4.3750 ... -4.1250 -4.0000 -3.8750]\n"
            " [-3.7500 -3.6250 -3.5000 ... -3.2500 -3.1250 -3.0000]]");
}

TEST(PreviewOf, PrintsMoreDimensionsAsNumPyDoes) {
  EXPECT_EQ(Counting({2, 2, 5}),
            "[[[ 0.0000  1.0000 ...  3.0000  4.0000]\n"
            "  [ 5.0000  6.0000 ...  8.0000  9.0000]]\n"
            "\n"
            " [[10.0000 11.0000 ... 13.0000 14.0000]\n"
            "  [15.0000 16.0000 ... 18.0000 19.0000]]]");
  EXPECT_EQ(Counting({3, 3, 3, 3}),
            "[[[[ 0.0000 ...  2.0000]\n   ...\n   [ 6.0000 ...  8.0000]]\n\n  ...\n\n"
            "  [[18.0000 ... 20.0000]\n   ...\n   [24.0000 ... 26.0000]]]\n\n\n ...\n\n\n"
            " [[[54.0000 ... 56.0000]\n   ...\n   [60.0000 ... 62.0000]]\n\n  ...\n\n"
            "  [[72.0000 ... 74.0000]\n   ...\n   [78.0000 ... 80.0000]]]]");
}

TEST(PreviewOf, WritesNonfiniteValues) {
  float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(PreviewOf({std::nanf(""), 1.5f, -inf, -2.0f}, {2, 2}), "[[    nan  1.5000]\n [   -inf -2.0000]]");
}

TEST(PreviewOf, UsesExponentsForVeryLargeAndVerySmallValues) {
  EXPECT_EQ(PreviewOf({1e9f, -2.5f}, {1, 2}), "[[ 1.0000e+09 -2.5000e+00]]");
  EXPECT_EQ(PreviewOf({1e-5f, 0.0f}, {2}), "[1.0000e-05 0.0000e+00]");
  EXPECT_EQ(PreviewOf({0.0f, 0.0f}, {2}), "[0.0000 0.0000]");
}

TEST(PreviewOf, PrintsNothingAsEmptyBrackets) { EXPECT_EQ(PreviewOf({}, {0, 4}), "[]"); }

TEST(PreviewOf, StaysShort) {
  EXPECT_LE(Counting({1024, 1024}).size(), 600u);
  EXPECT_LE(Counting({100, 12, 64}).size(), 900u);
}

}  // namespace
}  // namespace hydrophone
