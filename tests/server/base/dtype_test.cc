#include "server/base/dtype.h"

#include <gtest/gtest.h>

namespace hydrophone {
namespace {

TEST(DtypeTest, ReadsBackTheNamesThatItWrites) {
  for (Dtype dtype : {Dtype::kFloat32, Dtype::kFloat16, Dtype::kBfloat16}) {
    EXPECT_EQ(DtypeFromSafetensors(SafetensorsName(dtype)), dtype) << SafetensorsName(dtype);
  }
  EXPECT_EQ(DtypeFromSafetensors("F64"), std::nullopt);
  EXPECT_EQ(DtypeFromSafetensors(""), std::nullopt);
  EXPECT_EQ(DtypeFromSafetensors("f32"), std::nullopt);
}

TEST(DtypeTest, KnowsTheBytesOfAnElement) {
  EXPECT_EQ(ElementSize(Dtype::kFloat32), 4u);
  EXPECT_EQ(ElementSize(Dtype::kFloat16), 2u);
  EXPECT_EQ(ElementSize(Dtype::kBfloat16), 2u);
}

}  // namespace
}  // namespace hydrophone
