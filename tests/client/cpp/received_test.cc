#include "client/cpp/received.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;

TEST(Received, FloatsAreTheBytesAsTheyCame) {
  ReceivedTensor tensor;
  tensor.info.set_dtype(v1::DTYPE_FLOAT32);
  tensor.bytes = *TensorBytes::CopyOf(absl::string_view("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8));
  EXPECT_THAT(ToFloats(tensor).value(), ElementsAre(1.0F, -2.0F));
}

ReceivedTensor TensorOf(v1::Dtype dtype, const std::vector<uint16_t>& bits) {
  ReceivedTensor tensor;
  tensor.info.set_dtype(dtype);
  std::string bytes;
  for (const uint16_t element : bits) {
    bytes.push_back(static_cast<char>(element & 0xff));
    bytes.push_back(static_cast<char>(element >> 8));
  }
  tensor.bytes = *TensorBytes::CopyOf(bytes);
  return tensor;
}

TEST(Received, Bfloat16IsWidened) {
  EXPECT_THAT(ToFloats(TensorOf(v1::DTYPE_BFLOAT16, {0x3f80, 0xc040})).value(), ElementsAre(1.0F, -3.0F));
}

TEST(Received, Float16IsWidened) {
  const auto floats =
      ToFloats(TensorOf(v1::DTYPE_FLOAT16, {0x3c00, 0xc100, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x7e00})).value();
  EXPECT_EQ(floats[0], 1.0F);
  EXPECT_EQ(floats[1], -2.5F);
  EXPECT_EQ(floats[2], 65504.0F);
  EXPECT_EQ(floats[3], std::ldexp(1.0F, -24)) << "the smallest subnormal";
  EXPECT_TRUE(floats[4] == 0 && std::signbit(floats[4]));
  EXPECT_TRUE(std::isinf(floats[5]));
  EXPECT_TRUE(std::isnan(floats[6]));
}

TEST(Received, UnknownTypesAreNotTakenForFloats) {
  ReceivedTensor tensor;
  tensor.info.set_name("x");
  EXPECT_EQ(ToFloats(tensor).status().message(),
            "x: got type 0, expected DTYPE_FLOAT32, DTYPE_FLOAT16 or DTYPE_BFLOAT16");
}

}  // namespace
}  // namespace hydrophone::client
