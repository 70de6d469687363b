#include "client/cpp/files/safetensors_writer.h"

#include <cstring>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A reader of its own: what the format's description says, and nothing of the writer.
struct File {
  nlohmann::json header;
  size_t header_bytes = 0;
  std::string data;

  std::string Bytes(const std::string& name) const {
    const auto& offsets = header.at(name).at("data_offsets");
    return data.substr(offsets[0].get<size_t>(), offsets[1].get<size_t>() - offsets[0].get<size_t>());
  }
};

File Read(const std::string& path) {
  const std::string bytes = ReadFile(path);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  return {nlohmann::json::parse(bytes.substr(8, length)), length, bytes.substr(8 + length)};
}

class SafetensorsWriterTest : public ::testing::Test {
 protected:
  StoredArray Store(const std::string& name, ElementType type, std::vector<uint64_t> shape,
                    const std::vector<std::string>& pieces) {
    StoredArray array{name, type, std::move(shape), {}};
    for (const std::string& piece : pieces) array.segments.push_back(spool_->Append(piece).value());
    return array;
  }

  const TemporaryDirectory directory_;
  const std::unique_ptr<Spool> spool_ = Spool::Create(directory_.path()).value();
  const std::string path_ = directory_ / "x.safetensors";
};

TEST_F(SafetensorsWriterTest, ReadsBackAsWritten) {
  const auto a = Store("a", ElementType::kFloat16, {3, 1}, {"aaaa", "bb"});
  const auto b = Store("b", ElementType::kFloat32, {2, 1}, {"12345678"});
  const auto rows = Store("rows", ElementType::kInt64, {1}, {"ABCDEFGH"});
  ASSERT_TRUE(WriteSafetensors(path_, {a, b, rows}, {{"from", "a \"test\" of µ"}}, *spool_).ok());
  const File file = Read(path_);
  EXPECT_EQ(file.header["__metadata__"]["from"], "a \"test\" of µ");
  EXPECT_EQ(file.header["a"]["dtype"], "F16");
  EXPECT_EQ(file.header["b"]["dtype"], "F32");
  EXPECT_EQ(file.header["rows"]["dtype"], "I64");
  EXPECT_THAT(file.header["a"]["shape"], ElementsAre(3, 1));
  EXPECT_EQ(file.Bytes("a"), "aaaabb");
  EXPECT_EQ(file.Bytes("b"), "12345678");
  EXPECT_EQ(file.Bytes("rows"), "ABCDEFGH");
  EXPECT_EQ(file.data.size(), 22u) << "no holes";
}

TEST_F(SafetensorsWriterTest, EveryArrayIsAligned) {
  const auto a = Store("a", ElementType::kBFloat16, {1}, {"aa"});
  const auto b = Store("b", ElementType::kInt64, {1}, {"12345678"});
  const auto c = Store("c", ElementType::kFloat32, {1}, {"1234"});
  ASSERT_TRUE(WriteSafetensors(path_, {a, b, c}, {}, *spool_).ok());
  const File file = Read(path_);
  EXPECT_EQ(file.header_bytes % 8, 0u);
  EXPECT_EQ(file.header["b"]["data_offsets"][0].get<int>() % 8, 0);
  EXPECT_EQ(file.header["c"]["data_offsets"][0].get<int>() % 4, 0);
}

TEST_F(SafetensorsWriterTest, AnArrayWithoutRowsIsWritten) {
  ASSERT_TRUE(WriteSafetensors(path_, {Store("empty", ElementType::kFloat32, {0, 64}, {})}, {}, *spool_).ok());
  const File file = Read(path_);
  EXPECT_THAT(file.header["empty"]["shape"], ElementsAre(0, 64));
  EXPECT_THAT(file.header["empty"]["data_offsets"], ElementsAre(0, 0));
}

TEST_F(SafetensorsWriterTest, TwoArraysOfOneNameAreRefusedAndNothingIsLeft) {
  const auto a = Store("a", ElementType::kFloat32, {1}, {"1234"});
  EXPECT_THAT(std::string(WriteSafetensors(path_, {a, a}, {}, *spool_).message()), HasSubstr("two arrays are named a"));
  EXPECT_THAT(directory_.List(), ElementsAre());
}

TEST_F(SafetensorsWriterTest, MetadataThatIsNotUtf8DoesNotBreakTheFile) {
  ASSERT_TRUE(WriteSafetensors(path_, {}, {{"key", "\xff"}}, *spool_).ok());
  EXPECT_EQ(Read(path_).header["__metadata__"]["key"], "\xEF\xBF\xBD");
}

TEST_F(SafetensorsWriterTest, LongSegmentsAreCopiedWhole) {
  std::string bytes(5'000'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 5);
  ASSERT_TRUE(WriteSafetensors(path_, {Store("a", ElementType::kFloat32, {1250000}, {bytes})}, {}, *spool_).ok());
  EXPECT_TRUE(Read(path_).Bytes("a") == bytes);
}

}  // namespace
}  // namespace hydrophone::client
