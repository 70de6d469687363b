#include "client/cpp/received.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

TEST(Received, FloatsAreTheBytesAsTheyCame) {
  ReceivedTensor tensor;
  tensor.info.set_dtype(v1::DTYPE_FLOAT32);
  tensor.bytes = std::string("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
  EXPECT_THAT(ToFloats(tensor).value(), ::testing::ElementsAre(1.0F, -2.0F));
}

TEST(Received, OtherTypesAreNotTakenForFloats) {
  ReceivedTensor tensor;
  tensor.info.set_name("x");
  tensor.info.set_dtype(v1::DTYPE_FLOAT16);
  EXPECT_EQ(ToFloats(tensor).status().message(), "x: got DTYPE_FLOAT16, expected DTYPE_FLOAT32");
}

}  // namespace
}  // namespace hydrophone::client
