#include "client/cpp/files/tensor_reader.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string Npy(const std::string& descr, const std::string& order, const std::string& shape, const std::string& data) {
  const std::string header =
      absl::StrCat("{'descr': ", descr, ", 'fortran_order': ", order, ", 'shape': ", shape, ", }\n");
  return absl::StrCat(std::string("\x93NUMPY\x01\x00", 8), std::string(1, static_cast<char>(header.size())),
                      std::string(1, '\0'), header, data);
}

std::string Safetensors(const std::string& header, const std::string& data) {
  std::string length(8, '\0');
  length[0] = static_cast<char>(header.size() & 0xff);
  length[1] = static_cast<char>(header.size() >> 8);
  return absl::StrCat(length, header, data);
}

std::string NpyError(const std::string& bytes) { return std::string(TensorFromNpy(bytes).status().message()); }

TEST(TensorFromNpy, TakesVectorsMatricesAndScalars) {
  const auto matrix = TensorFromNpy(Npy("'<f4'", "False", "(2, 1)", Bytes({1, 2})));
  ASSERT_TRUE(matrix.ok()) << matrix.status();
  EXPECT_EQ(matrix->dtype(), v1::DTYPE_FLOAT32);
  EXPECT_THAT(matrix->shape(), ElementsAre(2, 1));
  EXPECT_EQ(matrix->data(), Bytes({1, 2}));
  EXPECT_THAT(TensorFromNpy(Npy("'<f4'", "False", "(1,)", Bytes({1})))->shape(), ElementsAre(1));
  EXPECT_THAT(TensorFromNpy(Npy("'<f4'", "False", "()", Bytes({1})))->shape(), IsEmpty());
}

TEST(TensorFromNpy, TakesFloat16AsItIs) {
  EXPECT_EQ(TensorFromNpy(Npy("'<f2'", "False", "(2,)", "abcd"))->dtype(), v1::DTYPE_FLOAT16);
}

TEST(TensorFromNpy, RefusesOtherTypesAndSaysWhatToDo) {
  EXPECT_THAT(NpyError(Npy("'<f8'", "False", "(1,)", "12345678")), HasSubstr("got type '<f8', expected '<f4'"));
  EXPECT_THAT(NpyError(Npy("'>f4'", "False", "(1,)", "1234")), HasSubstr("astype('float32')"));
}

TEST(TensorFromNpy, WhatAMessageQuotesOfTheFileIsPrintable) {
  EXPECT_THAT(NpyError(Npy("'<\x1b[2J\xa2'", "False", "(1,)", "1234")), HasSubstr(R"(got type '<\x1b[2J\xa2', )"));
  EXPECT_LT(NpyError(Npy(std::string(150, 'x'), "False", "(1,)", "1234")).size(), 250u);
}

TEST(TensorFromNpy, RefusesMatricesInFortranOrder) {
  EXPECT_THAT(NpyError(Npy("'<f4'", "True", "(1, 2)", Bytes({1, 2}))), HasSubstr("ascontiguousarray"));
  EXPECT_TRUE(TensorFromNpy(Npy("'<f4'", "True", "(2,)", Bytes({1, 2}))).ok()) << "a vector has one order";
}

TEST(TensorFromNpy, RefusesDataOfAnotherSizeThanTheShapes) {
  EXPECT_THAT(NpyError(Npy("'<f4'", "False", "(3,)", Bytes({1, 2}))), HasSubstr("fewer than its shape says"));
  EXPECT_THAT(NpyError(Npy("'<f4'", "False", "(1,)", Bytes({1, 2}))), HasSubstr("8 bytes of data, its shape says 4"));
  EXPECT_THAT(NpyError(Npy("'<f4'", "False", "(4294967296, 4294967296)", "")), HasSubstr("fewer"));
}

TEST(TensorFromNpy, RefusesWhatIsNoNpyFile) {
  EXPECT_THAT(NpyError("PK"), HasSubstr("not a .npy file"));
  EXPECT_THAT(NpyError(std::string("\x93NUMPY\x01\x00\xff\x00{'d", 13)), HasSubstr("ends within its header"));
  EXPECT_THAT(NpyError(Npy("'<f4'", "False", "3", "")), HasSubstr("not one that NumPy writes"));
}

TEST(TensorFromSafetensors, TakesTheOnlyTensorOrTheOneNamed) {
  const std::string two =
      Safetensors(R"({"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                  R"("y":{"dtype":"BF16","shape":[1,2],"data_offsets":[4,8]}})",
                  "1234abcd");
  const auto y = TensorFromSafetensors(two, "y");
  ASSERT_TRUE(y.ok()) << y.status();
  EXPECT_EQ(y->dtype(), v1::DTYPE_BFLOAT16);
  EXPECT_THAT(y->shape(), ElementsAre(1, 2));
  EXPECT_EQ(y->data(), "abcd");
  EXPECT_THAT(std::string(TensorFromSafetensors(two, "").status().message()),
              HasSubstr("after a colon; it holds 2 tensors: x, y"));
  EXPECT_THAT(std::string(TensorFromSafetensors(two, "z").status().message()),
              HasSubstr("it lacks that one; it holds 2 tensors: x, y"));
  const std::string one = Safetensors(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234");
  EXPECT_EQ(TensorFromSafetensors(one, "")->data(), "1234");
}

TEST(TensorFromSafetensors, WhatAMessageQuotesOfTheFileIsPrintableAndShort) {
  std::vector<std::string> entries;
  for (int i = 0; i < 1000; ++i) {
    entries.push_back(absl::StrCat(R"("\u001b[2J)", i, R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})"));
  }
  const std::string many = Safetensors(absl::StrCat("{", absl::StrJoin(entries, ","), "}"), "");
  for (const char* name : {"", "z"}) {
    const std::string message(TensorFromSafetensors(many, name).status().message());
    EXPECT_THAT(message, HasSubstr(R"(it holds 1000 tensors: \x1b[2J0, )"));
    EXPECT_THAT(message, HasSubstr("and 980 more"));
  }
  const std::string type = Safetensors(R"({"x":{"dtype":"\u001b","shape":[1],"data_offsets":[0,4]}})", "1234");
  EXPECT_THAT(std::string(TensorFromSafetensors(type, "").status().message()), HasSubstr(R"(\x1b)"));
}

TEST(TensorFromSafetensors, AFileWithoutTensorsSaysSo) {
  EXPECT_EQ(TensorFromSafetensors(Safetensors("{}", ""), "").status().message(), "it holds no tensor");
}

TEST(TensorFromSafetensors, RefusesWhatDoesNotFit) {
  const auto error = [](const std::string& entry) {
    return std::string(TensorFromSafetensors(Safetensors(R"({"x":)" + entry + "}", "1234"), "").status().message());
  };
  EXPECT_THAT(error(R"({"dtype":"F64","shape":[1],"data_offsets":[0,4]})"),
              HasSubstr("has 4 bytes, expected 8 for F64 [1]"));
  EXPECT_THAT(error(R"({"dtype":"I32","shape":[1],"data_offsets":[0,4]})"),
              HasSubstr("got type I32, expected F32, F16 or BF16"));
  EXPECT_THAT(error(R"({"dtype":"F32","shape":[1],"data_offsets":[0,8]})"),
              HasSubstr("ends at byte 8 of the data, which has 4"));
  EXPECT_THAT(error(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"), HasSubstr("ends before it begins"));
  EXPECT_THAT(error(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"),
              HasSubstr("has 4 bytes, expected 8 for F32 [2]"));
  EXPECT_THAT(error(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})"),
              HasSubstr("a dimension that is no integer"));
  EXPECT_THAT(error(R"(3)"), HasSubstr("is not an object"));
  EXPECT_FALSE(TensorFromSafetensors("123", "").ok());
  EXPECT_FALSE(TensorFromSafetensors("\xff\xff\xff\xff\xff\xff\xff\xff{}", "").ok());
  EXPECT_FALSE(TensorFromSafetensors(Safetensors("[]", ""), "").ok());
}

TEST(ReadTensorFile, KnowsTheKindByTheNameAndNamesTheFileInErrors) {
  const TemporaryDirectory directory;
  WriteFile(directory / "v.npy", Npy("'<f4'", "False", "(1,)", Bytes({1})));
  WriteFile(directory / "m.safetensors",
            Safetensors(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234"));
  EXPECT_TRUE(ReadTensorFile(directory / "v.npy").ok());
  EXPECT_TRUE(ReadTensorFile(directory / "m.safetensors").ok());
  EXPECT_TRUE(ReadTensorFile(directory / "m.safetensors:x").ok());
  EXPECT_THAT(std::string(ReadTensorFile(directory / "m.safetensors:y").status().message()),
              HasSubstr("m.safetensors:y: it lacks that one; it holds 1 tensor: x"));
  EXPECT_THAT(std::string(ReadTensorFile(directory / "none.npy").status().message()),
              HasSubstr("none.npy: no such file"));
  EXPECT_THAT(std::string(ReadTensorFile(directory / "v.pt").status().message()), HasSubstr("expected FILE.npy"));
}

}  // namespace
}  // namespace hydrophone::client
