#include "client/cpp/files/npy_writer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class NpyWriterTest : public ::testing::Test {
 protected:
  StoredArray Store(const std::string& name, ElementType type, std::vector<uint64_t> shape, const std::string& bytes) {
    return {name, type, std::move(shape), {spool_->Append(bytes).value()}};
  }

  const TemporaryDirectory directory_;
  const std::unique_ptr<Spool> spool_ = Spool::Create(directory_.path()).value();
  const std::string path_ = directory_ / "out";
};

TEST_F(NpyWriterTest, WritesOneFileAnArrayAsNumPyDoes) {
  const auto a = Store("blocks.10.hook_attn_out", ElementType::kFloat32, {2, 1}, "12345678");
  const auto rows = Store("rows", ElementType::kInt64, {1}, "ABCDEFGH");
  ASSERT_TRUE(WriteNpyDirectory(path_, {a, rows}, {{"note", "text"}, {"request", "{\"a\": [1]}"}}, *spool_).ok());
  const std::string file = ReadFile(path_ + "/blocks.10.hook_attn_out.npy");
  ASSERT_EQ(file.size(), 128u + 8u);
  EXPECT_THAT(file, StartsWith(std::string("\x93NUMPY\x01\x00\x76\x00", 10)));
  EXPECT_THAT(file.substr(10), StartsWith("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }   "));
  EXPECT_EQ(file[127], '\n');
  EXPECT_EQ(file.substr(128), "12345678");
  EXPECT_THAT(ReadFile(path_ + "/rows.npy"), HasSubstr("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }"));
  const auto metadata = nlohmann::json::parse(ReadFile(path_ + "/metadata.json"));
  EXPECT_EQ(metadata["note"], "text");
  EXPECT_THAT(metadata["request"]["a"], ElementsAre(1));
  EXPECT_EQ(metadata["arrays"]["rows"], "rows.npy");
}

TEST_F(NpyWriterTest, NamesFromTheServerStayInTheDirectory) {
  EXPECT_EQ(NpyFileName("../../etc/x"), "_._.._etc_x.npy");
  EXPECT_EQ(NpyFileName("blocks.3.ln1.hook_out"), "blocks.3.ln1.hook_out.npy");
  EXPECT_EQ(NpyFileName("a b\n"), "a_b_.npy");
}

TEST_F(NpyWriterTest, BFloat16IsRefusedAndNothingIsLeft) {
  const auto a = Store("a", ElementType::kFloat32, {1}, "1234");
  const auto b = Store("b", ElementType::kBFloat16, {1}, "12");
  EXPECT_THAT(std::string(WriteNpyDirectory(path_, {a, b}, {}, *spool_).message()), HasSubstr("b is bfloat16"));
  EXPECT_THAT(directory_.List(), ElementsAre());
}

TEST_F(NpyWriterTest, TwoArraysInOneFileAreRefused) {
  const auto a = Store("a b", ElementType::kFloat32, {1}, "1234");
  const auto b = Store("a/b", ElementType::kFloat32, {1}, "1234");
  EXPECT_THAT(std::string(WriteNpyDirectory(path_, {a, b}, {}, *spool_).message()), HasSubstr("a_b.npy"));
}

}  // namespace
}  // namespace hydrophone::client
