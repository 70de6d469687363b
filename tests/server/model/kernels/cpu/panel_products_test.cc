#include "server/model/kernels/cpu/panel_products.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace hydrophone {
namespace {

std::vector<float> RandomFloats(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> floats(static_cast<size_t>(count));
  for (float& value : floats) value = normal(random);
  return floats;
}

// A random product, computed by its definition and by a kernel.
class PanelProductsTest : public testing::Test {
 protected:
  void Make(int64_t rows, int64_t inner, int64_t columns) {
    rows_ = rows;
    inner_ = inner;
    columns_ = columns;
    causal_ = false;
    x_ = RandomFloats(rows * inner, 1);
    w_ = RandomFloats(inner * columns, 2);
    start_ = RandomFloats(columns, 3);
  }
  // The first row has `inner` elements; beyond the end of each row lie NaNs, which would show in a result.
  void MakeCausal(int64_t rows, int64_t inner, int64_t columns) {
    Make(rows, inner + rows - 1, columns);
    causal_ = true;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t k = inner + i; k < inner_; ++k) {
        x_[static_cast<size_t>(i * inner_ + k)] = std::numeric_limits<float>::quiet_NaN();
      }
    }
  }
  void StartFromZeros() { start_.clear(); }

  int64_t InnerOf(int64_t i) const { return causal_ ? inner_ - rows_ + 1 + i : inner_; }

  float Element(int64_t i, int64_t j) const {
    float element = start_.empty() ? 0.0f : start_[static_cast<size_t>(j)];
    for (int64_t k = 0; k < InnerOf(i); k += kSumLength) {
      float sum = 0;
      for (int64_t l = k; l < std::min(k + kSumLength, InnerOf(i)); ++l) {
        const float x = x_[static_cast<size_t>(i * inner_ + l)], w = w_[static_cast<size_t>(l * columns_ + j)];
        sum = SumsAreFused() ? std::fma(x, w, sum) : sum + x * w;
      }
      element += sum;
    }
    return element;
  }

  std::vector<float> ByDefinition() const {
    std::vector<float> y;
    for (int64_t i = 0; i < rows_; ++i) {
      for (int64_t j = 0; j < columns_; ++j) y.push_back(Element(i, j));
    }
    return y;
  }

  std::vector<float> By(const PanelKernel& kernel) const {
    const int64_t width = kernel.panel_columns, panels = (columns_ + width - 1) / width;
    // In the columns beside the matrix lie NaNs, which would show in a result.
    std::vector<float> packed(static_cast<size_t>(panels * inner_ * width), std::numeric_limits<float>::quiet_NaN());
    for (int64_t k = 0; k < inner_; ++k) {
      for (int64_t j = 0; j < columns_; ++j) {
        packed[static_cast<size_t>((j / width * inner_ + k) * width + j % width)] =
            w_[static_cast<size_t>(k * columns_ + j)];
      }
    }
    std::vector<float> y(static_cast<size_t>(rows_ * (columns_ + 1)), 7.0f);
    PanelProduct product;
    product.x = {x_.data(), inner_};
    product.rows = rows_;
    product.inner = InnerOf(0);
    product.causal = causal_;
    product.panels = packed.data();
    product.panel_stride = inner_ * width;
    if (!start_.empty()) product.start = start_.data();
    product.y = {y.data(), columns_ + 1};
    product.columns = columns_;
    if (!causal_) product.next_panels = packed.data();
    kernel.multiply(product);
    std::vector<float> rows;
    for (int64_t i = 0; i < rows_; ++i) {
      const float* row = y.data() + i * (columns_ + 1);
      rows.insert(rows.end(), row, row + columns_);
      EXPECT_EQ(row[columns_], 7.0f) << "written beside y, row " << i;
    }
    return rows;
  }

  void ExpectTheBitsOfTheDefinition() const {
    const std::vector<float> expected = ByDefinition();
    for (const PanelKernel& kernel : PanelKernels()) {
      const std::vector<float> y = By(kernel);
      ASSERT_EQ(std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)), 0)
          << rows_ << "x" << inner_ << "x" << columns_ << ", panels of " << kernel.panel_columns;
    }
  }

 private:
  int64_t rows_ = 0, inner_ = 0, columns_ = 0;  // inner_: of the longest row
  bool causal_ = false;
  std::vector<float> x_, w_, start_;
};

TEST_F(PanelProductsTest, EveryKernelHasTheBitsOfTheDefinition) {
  for (int64_t rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 30}) {
    for (int64_t inner : {int64_t{1}, int64_t{64}, kSumLength, kSumLength + 1, 2 * kSumLength + 100}) {
      for (int64_t columns : {1, 16, 31, 32, 33, 96}) {
        Make(rows, inner, columns);
        ASSERT_NO_FATAL_FAILURE(ExpectTheBitsOfTheDefinition());
      }
    }
  }
}

TEST_F(PanelProductsTest, StartsFromZerosWhereNothingElseIsGiven) {
  for (int64_t columns : {1, 32, 70}) {
    Make(13, kSumLength + 1, columns);
    StartFromZeros();
    ASSERT_NO_FATAL_FAILURE(ExpectTheBitsOfTheDefinition());
  }
}

TEST_F(PanelProductsTest, ACausalRowHasOneElementMoreThanTheRowBefore) {
  for (int64_t rows : {1, 2, 6, 12, 13, 30}) {
    // Also where the end of a block lies between two rows' ends.
    for (int64_t inner :
         {int64_t{1}, int64_t{64}, kSumLength - 7, kSumLength - 1, kSumLength, kSumLength + 1, 2 * kSumLength - 3}) {
      for (int64_t columns : {5, 32, 70}) {
        MakeCausal(rows, inner, columns);
        ASSERT_NO_FATAL_FAILURE(ExpectTheBitsOfTheDefinition());
        StartFromZeros();
        ASSERT_NO_FATAL_FAILURE(ExpectTheBitsOfTheDefinition());
      }
    }
  }
}

}  // namespace
}  // namespace hydrophone
