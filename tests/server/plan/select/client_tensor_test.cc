#include "server/plan/select/client_tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::optional<ClientTensor> Read(const v1::Tensor& tensor, Violations* violations) {
  return ReadClientTensor(tensor, "t", violations);
}

std::vector<float> ValuesOf(const v1::Tensor& tensor) {
  Violations violations;
  std::optional<ClientTensor> read = Read(tensor, &violations);
  EXPECT_THAT(Lines(violations), IsEmpty());
  return read.value_or(ClientTensor()).values;
}

std::vector<std::string> Refusals(const v1::Tensor& tensor) {
  Violations violations;
  EXPECT_FALSE(Read(tensor, &violations).has_value());
  return Lines(violations);
}

TEST(ReadClientTensor, ReadsFloatsInTheirShape) {
  Violations violations;
  auto read = Read(Parse<v1::Tensor>("shape: [2, 1] floats: [1.5, -2]"), &violations);
  ASSERT_TRUE(read.has_value());
  EXPECT_THAT(read->shape, ElementsAre(2, 1));
  EXPECT_THAT(read->values, ElementsAre(1.5f, -2.0f));
}

TEST(ReadClientTensor, WithoutAShapeItIsAScalar) {
  Violations violations;
  auto read = Read(Parse<v1::Tensor>("floats: 3"), &violations);
  ASSERT_TRUE(read.has_value());
  EXPECT_THAT(read->shape, IsEmpty());
}

TEST(ReadClientTensor, ReadsLittleEndianFloat32ByDefault) {
  EXPECT_THAT(ValuesOf(Parse<v1::Tensor>(R"(shape: 2 data: "\000\000\200?\000\000\000\300")")),
              ElementsAre(1.0f, -2.0f));
}

TEST(ReadClientTensor, ReadsFloat16) {
  // 1, -65504, the smallest subnormal, the largest subnormal, -0
  auto tensor = Parse<v1::Tensor>(R"(dtype: DTYPE_FLOAT16 shape: 5 data: "\000<\377\373\001\000\377\003\000\200")");
  EXPECT_THAT(ValuesOf(tensor), ElementsAre(1.0f, -65504.0f, 0x1p-24f, 0x1.ff8p-15f, -0.0f));
}

TEST(ReadClientTensor, ReadsBfloat16) {
  EXPECT_THAT(ValuesOf(Parse<v1::Tensor>(R"(dtype: DTYPE_BFLOAT16 shape: 2 data: "\200?\000\300")")),
              ElementsAre(1.0f, -2.0f));
}

TEST(ReadClientTensor, RefusesATensorWithoutElements) {
  EXPECT_THAT(Refusals(v1::Tensor()),
              ElementsAre("t: got neither of floats and data, expected the elements in one of them"));
}

TEST(ReadClientTensor, RefusesElementsGivenTwice) {
  EXPECT_THAT(Refusals(Parse<v1::Tensor>("floats: 1 data: 'abcd'")),
              ElementsAre("t: got both of floats and data, expected the elements in one of them"));
}

TEST(ReadClientTensor, RefusesPiecesOfElements) {
  EXPECT_THAT(Refusals(Parse<v1::Tensor>("data: 'abcde'")),
              ElementsAre("t.data: got 5 bytes, expected a multiple of 4"));
  EXPECT_THAT(Refusals(Parse<v1::Tensor>("data: 'abc' dtype: DTYPE_FLOAT16")),
              ElementsAre("t.data: got 3 bytes, expected a multiple of 2"));
}

TEST(ReadClientTensor, RefusesAnotherTypeForFloats) {
  EXPECT_THAT(Refusals(Parse<v1::Tensor>("floats: 1 dtype: DTYPE_BFLOAT16")),
              ElementsAre("t.dtype: got DTYPE_BFLOAT16 beside floats, expected DTYPE_FLOAT32"));
}

TEST(ReadClientTensor, RefusesAShapeOfAnotherSize) {
  EXPECT_THAT(Refusals(Parse<v1::Tensor>("shape: [2, 2] floats: [1, 2, 3]")),
              ElementsAre("t.shape: got [2, 2] for 3 elements, expected their product to be 3"));
}

TEST(ReadClientTensor, RefusesAShapeWhoseProductOverflows) {
  auto tensor = Parse<v1::Tensor>("shape: [4294967295, 4294967295, 4294967295] floats: 1");
  EXPECT_THAT(Refusals(tensor), ElementsAre(::testing::StartsWith("t.shape: got [4294967295, ")));
}

TEST(ReadClientTensor, RefusesMoreThanThreeDimensions) {
  EXPECT_THAT(Refusals(Parse<v1::Tensor>("shape: [1, 1, 1, 1] floats: 1")),
              ElementsAre("t.shape: got 4 dimensions, expected at most 3"));
}

TEST(ReadClientTensor, NamesTheFirstElementThatIsNotFinite) {
  EXPECT_THAT(Refusals(Parse<v1::Tensor>("shape: 3 floats: [0, nan, inf]")),
              ElementsAre("t.floats[1]: got nan, expected a finite number"));
}

TEST(ReadClientTensor, RefusesAnInfiniteFloat16) {
  EXPECT_THAT(Refusals(Parse<v1::Tensor>(R"(dtype: DTYPE_FLOAT16 data: "\000|")")),
              ElementsAre("t.data: got inf in element 0, expected a finite number"));
}

}  // namespace
}  // namespace hydrophone
