#include "server/model/taps/apply_edit.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace hydrophone {
namespace {

using Operation = Edit::Operation;

// 4 positions of 2 heads of 3 features, counting from 0.
class ApplyEditTest : public testing::Test {
 protected:
  at::Tensor After(const Edit& edit) {
    at::Tensor value = value_.clone();
    ApplyEdit(edit, MutableGridOfRows(value, 2), GridOfRows(source_, 2));
    return value.view({4, 2, 3});
  }
  at::Tensor Expected() const { return value_.clone().view({4, 2, 3}); }

  static Edit At(Operation operation, std::vector<int64_t> positions, Units units = {}) {
    Edit edit;
    edit.operation = operation;
    edit.positions = std::move(positions);
    edit.units = std::move(units);
    return edit;
  }
  static Edit With(Edit edit, std::vector<float> values, std::array<int64_t, 3> strides) {
    edit.values = std::make_shared<const std::vector<float>>(std::move(values));
    edit.strides = strides;
    return edit;
  }

  const at::Tensor value_ = at::arange(24, at::kFloat).view({4, 6});
  const at::Tensor source_ = at::arange(24, at::kFloat).view({4, 6}) + 100;
};

TEST_F(ApplyEditTest, ZeroSetsTheChosenPositionsHeadsAndFeatures) {
  at::Tensor expected = Expected();
  expected[1][1][0] = 0;
  expected[1][1][2] = 0;
  expected[3][1][0] = 0;
  expected[3][1][2] = 0;
  EXPECT_TRUE(at::equal(After(At(Operation::kZero, {3, 1}, {{1}, {2, 0}})), expected));
}

TEST_F(ApplyEditTest, ScaleMultiplies) {
  Edit edit = At(Operation::kScale, {2});
  edit.scale = -0.5f;
  at::Tensor expected = Expected();
  expected[2] *= -0.5;
  EXPECT_TRUE(at::equal(After(edit), expected));
}

TEST_F(ApplyEditTest, AddTakesAScalarAVectorOrATensorByItsStrides) {
  at::Tensor scalar = Expected(), vector = Expected(), tensor = Expected();
  scalar.narrow(0, 1, 2) += 5;
  EXPECT_TRUE(at::equal(After(With(At(Operation::kAdd, {1, 2}), {5}, {0, 0, 0})), scalar));
  vector.narrow(0, 1, 2) += at::tensor({1.0f, 2.0f, 3.0f});
  EXPECT_TRUE(at::equal(After(With(At(Operation::kAdd, {1, 2}), {1, 2, 3}, {0, 0, 1})), vector));
  tensor[2][0] += at::tensor({1.0f, 2.0f, 3.0f});
  tensor[1][0] += at::tensor({4.0f, 5.0f, 6.0f});
  EXPECT_TRUE(at::equal(After(With(At(Operation::kAdd, {2, 1}, {{0}, {}}), {1, 2, 3, 4, 5, 6}, {3, 0, 1})), tensor));
}

TEST_F(ApplyEditTest, SetReplaces) {
  at::Tensor expected = Expected();
  expected[0][0][1] = 7;
  expected[0][1][1] = 8;
  EXPECT_TRUE(at::equal(After(With(At(Operation::kSet, {0}, {{}, {1}}), {7, 8}, {0, 1, 0})), expected));
}

TEST_F(ApplyEditTest, ProjectOutLeavesNothingAlongTheDirection) {
  const at::Tensor direction = at::tensor({1.0f, 2.0f, -2.0f});
  const at::Tensor after = After(With(At(Operation::kProjectOut, {0, 1, 2, 3}), {1, 2, -2}, {0, 0, 1}));
  EXPECT_LT(at::matmul(after, direction).abs().max().item<float>(), 1e-5);
  const at::Tensor exact = Expected() - at::matmul(Expected(), direction).unsqueeze(2) / 9 * direction;
  EXPECT_LT((after - exact).abs().max().item<float>(), 1e-5);
}

TEST_F(ApplyEditTest, PatchTakesTheSourcesPositionsInOrder) {
  Edit edit = At(Operation::kPatch, {0, 3}, {{1}, {}});
  edit.source.positions = {2, 1};
  at::Tensor expected = Expected();
  expected[0][1] = source_.view({4, 2, 3})[2][1];
  expected[3][1] = source_.view({4, 2, 3})[1][1];
  EXPECT_TRUE(at::equal(After(edit), expected));
}

TEST_F(ApplyEditTest, PositionMeanSpreadsTheMeanOfTheChosenPositions) {
  at::Tensor expected = Expected();
  const at::Tensor mean = (expected[0] + expected[1] + expected[3]) / 3;
  for (int64_t position : {0, 1, 3}) expected[position] = mean;
  EXPECT_LT((After(At(Operation::kPositionMean, {3, 0, 1})) - expected).abs().max().item<float>(), 1e-6);
}

TEST_F(ApplyEditTest, OfASquareHeadsAreOutermost) {
  at::Tensor square = at::ones({2, 3, 3});
  ApplyEdit(At(Operation::kZero, {2}, {{1}, {0, 1}}), MutableGridOfSquare(square), Grid());
  at::Tensor expected = at::ones({2, 3, 3});
  expected[1][2][0] = 0;
  expected[1][2][1] = 0;
  EXPECT_TRUE(at::equal(square, expected));
}

}  // namespace
}  // namespace hydrophone
