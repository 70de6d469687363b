#include "client/cpp/chunk_message.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "google/protobuf/io/coded_stream.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/message_cutter.h"

namespace hydrophone::client {
namespace {

constexpr size_t kLongestPieces[] = {1, 2, 7, 64, 100000};

v1::ExtractResponse ChunkOf(std::string data, bool with_info = true) {
  v1::ExtractResponse message;
  v1::Chunk* chunk = message.mutable_chunk();
  chunk->set_tensor(300);
  chunk->set_offset(uint64_t{5} << 33);
  chunk->set_crc32(0xfedcba98);
  if (with_info) {
    chunk->mutable_info()->set_name("blocks.1.hidden_states");
    chunk->mutable_info()->set_layer(-1);
    chunk->mutable_info()->add_shape(7);
    chunk->mutable_info()->add_runs(2);
  }
  chunk->set_data(std::move(data));
  return message;
}

// What the reader found, as the message that it came from.
std::string Joined(const ChunkMessage& chunk) {
  v1::ExtractResponse message;
  *message.mutable_chunk() = chunk.fields;
  message.mutable_chunk()->set_data(absl::StrJoin(chunk.data, ""));
  return message.SerializeAsString();
}

std::string LengthDelimited(uint32_t field, const std::string& bytes) {
  std::string written;
  google::protobuf::io::StringOutputStream stream(&written);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.WriteTag(field << 3 | 2);
  out.WriteVarint32(static_cast<uint32_t>(bytes.size()));
  out.WriteString(bytes);
  out.Trim();
  return written;
}

// Whatever the reader takes must be what protobuf reads, however it is cut; whether it took it.
bool AgreesWithProtobuf(const std::string& bytes, std::mt19937* random) {
  v1::ExtractResponse expected;
  const bool well_formed = expected.ParseFromString(bytes);
  bool taken = false;
  for (const size_t longest : kLongestPieces) {
    const CutMessage cut(bytes, longest, random);
    const auto chunk = ReadChunkMessage(cut.pieces());
    taken = chunk.has_value();
    if (taken) {
      EXPECT_TRUE(well_formed);
      EXPECT_EQ(Joined(*chunk), expected.SerializeAsString());
    }
    v1::ExtractResponse message;
    EXPECT_EQ(ReadMessage(cut.pieces(), &message), well_formed);
    EXPECT_TRUE(!well_formed || message.SerializeAsString() == expected.SerializeAsString());
  }
  return taken;
}

TEST(ChunkMessage, IsReadHoweverItIsCut) {
  std::mt19937 random(1);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{3}, size_t{4096}, size_t{70001}}) {
    for (const bool with_info : {true, false}) {
      const auto message = ChunkOf(std::string(size, 'x'), with_info);
      EXPECT_TRUE(AgreesWithProtobuf(message.SerializeAsString(), &random)) << size;
    }
  }
}

TEST(ChunkMessage, DataIsNotCopied) {
  const std::string bytes = ChunkOf("abcdefgh").SerializeAsString();
  const absl::string_view pieces[] = {absl::string_view(bytes).substr(0, bytes.size() - 5),
                                      absl::string_view(bytes).substr(bytes.size() - 5)};
  const auto chunk = ReadChunkMessage(pieces);
  ASSERT_TRUE(chunk.has_value());
  ASSERT_EQ(chunk->data.size(), 2u);
  EXPECT_EQ(chunk->data[0].data(), bytes.data() + bytes.size() - 8);
  EXPECT_EQ(chunk->data[1].data(), pieces[1].data());
}

TEST(ChunkMessage, FieldsBeforeDataMayComeInAnyOrder) {
  const v1::Chunk chunk = ChunkOf("data").chunk();
  std::vector<v1::Chunk> parts(4);
  parts[0].set_tensor(chunk.tensor());
  *parts[1].mutable_info() = chunk.info();
  parts[2].set_offset(chunk.offset());
  parts[3].set_crc32(chunk.crc32());
  std::mt19937 random(2);
  std::vector<size_t> order = {0, 1, 2, 3};
  do {
    std::string fields;
    for (const size_t part : order) fields += parts[part].SerializeAsString();
    EXPECT_TRUE(AgreesWithProtobuf(LengthDelimited(15, fields + LengthDelimited(15, chunk.data())), &random));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ChunkMessage, RepeatedFieldsAreWhatProtobufMakesOfThem) {
  v1::Chunk once = ChunkOf("").chunk();
  v1::Chunk again;
  again.set_tensor(4);
  again.mutable_info()->set_layer(9);
  again.mutable_info()->add_shape(8);
  std::mt19937 random(3);
  const std::string fields = once.SerializeAsString() + again.SerializeAsString();
  EXPECT_TRUE(AgreesWithProtobuf(LengthDelimited(15, fields + LengthDelimited(15, "data")), &random));
}

TEST(ChunkMessage, OtherLayoutsAreLeftToProtobuf) {
  const std::string fields = ChunkOf("").chunk().SerializeAsString();
  const std::string data = LengthDelimited(15, "data");
  std::mt19937 random(4);
  v1::ExtractResponse header;
  header.mutable_header()->set_tensors(3);
  for (const std::string& bytes : {
           std::string(), header.SerializeAsString(), LengthDelimited(15, data + fields),  // data before other fields
           LengthDelimited(15, fields + data + data),                                      // twice
           LengthDelimited(15, fields + LengthDelimited(9, "") + data),                    // an unknown field
           LengthDelimited(9, "") + LengthDelimited(15, fields + data),
           LengthDelimited(15, fields + data) + LengthDelimited(9, ""),
           LengthDelimited(15, fields) + LengthDelimited(15, data),  // one chunk in two parts
       }) {
    EXPECT_FALSE(AgreesWithProtobuf(bytes, &random));
  }
}

TEST(ChunkMessage, NoCutOfAMessageIsTakenForAWholeOne) {
  const std::string bytes = ChunkOf("some data").SerializeAsString();
  std::mt19937 random(5);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(AgreesWithProtobuf(bytes.substr(0, size), &random)) << size;
  }
}

TEST(ChunkMessage, DamagedMessagesAreReadAsProtobufReadsThem) {
  std::mt19937 random(6);
  const std::string good = ChunkOf("some data that is long enough").SerializeAsString();
  std::uniform_int_distribution<size_t> place(0, good.size() - 1);
  std::uniform_int_distribution<int> byte(0, 255);
  std::uniform_int_distribution<int> count(1, 3);
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (int i = count(random); i > 0; --i) bytes[place(random)] = static_cast<char>(byte(random));
    taken += AgreesWithProtobuf(bytes, &random) ? 1 : 0;
  }
  EXPECT_GT(taken, 1000) << "damage to data and numbers leaves the layout";
}

TEST(ChunkMessage, ALengthThatOverflowsIsNoChunk) {
  std::mt19937 random(7);
  for (const std::string length : {"\xff\xff\xff\xff\x0f", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x80"}) {
    EXPECT_FALSE(AgreesWithProtobuf("\x7a" + length + "\x08\x01", &random));
    EXPECT_FALSE(AgreesWithProtobuf(LengthDelimited(15, "\x7a" + length + "ab"), &random));
  }
}

}  // namespace
}  // namespace hydrophone::client
