#include "client/cpp/stream_assembler.h"

#include <unistd.h>

#include <fstream>
#include <functional>
#include <random>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/message_cutter.h"
#include "tests/client/cpp/toy_model.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;
using Stream = std::vector<v1::ExtractResponse>;

// header, 2 inputs, 3 chunks (2 rows, 1 row; 1 row) of the 2 tensors, trailer.
enum Place : size_t { kHeader, kFirstInput, kSecondInput, kFirstChunk, kSecondChunk, kThirdChunk, kTrailer };

Stream GoodStream() {
  v1::ExtractRequest request;
  request.add_texts("abc");
  request.add_texts("d");
  v1::HookSelector* hook = request.add_hooks();
  hook->set_hook_point("hidden_states");
  hook->add_layers(1);
  return ToyStream(request);
}

// As the messages' bytes arrive, in pieces of at most `longest`.
absl::Status Assemble(const std::vector<std::string>& messages, Extraction* extraction, bool validate_only = false,
                      size_t longest = 10) {
  std::mt19937 random(1);
  GatheringSink sink(extraction);
  StreamAssembler assembler(validate_only, &sink);
  for (const std::string& message : messages) {
    const CutMessage cut(message, longest, &random);
    if (absl::Status status = assembler.Add(cut.pieces()); !status.ok()) return status;
  }
  return assembler.Finish();
}

std::vector<std::string> Serialized(const Stream& stream) {
  std::vector<std::string> messages;
  for (const auto& message : stream) messages.push_back(message.SerializeAsString());
  return messages;
}

absl::Status Assemble(const Stream& stream, Extraction* extraction, bool validate_only = false) {
  return Assemble(Serialized(stream), extraction, validate_only);
}

// What is said of the good stream after `damage`.
std::string AfterDamage(const std::function<void(Stream&)>& damage) {
  Stream stream = GoodStream();
  damage(stream);
  Extraction extraction;
  const absl::Status status = Assemble(stream, &extraction);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  return std::string(status.message());
}

void Erase(Stream& stream, size_t place) { stream.erase(stream.begin() + static_cast<ptrdiff_t>(place)); }

TEST(StreamAssembler, PutsChunksTogether) {
  Extraction extraction;
  ASSERT_TRUE(Assemble(GoodStream(), &extraction).ok());
  EXPECT_EQ(extraction.inputs.size(), 2u);
  ASSERT_EQ(extraction.tensors.size(), 2u);
  std::vector<float> expected;
  for (const char c : std::string("abc")) {
    const auto row = ToyRow("hidden_states", 1, static_cast<unsigned char>(c));
    expected.insert(expected.end(), row.begin(), row.end());
  }
  EXPECT_EQ(ToFloats(extraction.tensors[0]).value(), expected);
  EXPECT_EQ(ToFloats(extraction.tensors[1]).value(), ToyRow("hidden_states", 1, 'd'));
}

TEST(StreamAssembler, ManyChunksOfManyPiecesAreTheTensorsBytes) {
  v1::ExtractRequest request;
  request.add_texts(std::string(5000, 'x'));
  request.add_hook_points("hidden_states");
  std::vector<float> expected;
  for (int i = 0; i < 5000; ++i) {
    const auto row = ToyRow("hidden_states", 0, 'x');
    expected.insert(expected.end(), row.begin(), row.end());
  }
  for (const size_t longest : {size_t{1}, size_t{100}, size_t{100000}}) {
    for (const size_t rows : {size_t{7}, size_t{1000}, size_t{5000}}) {
      Extraction extraction;
      ASSERT_TRUE(Assemble(Serialized(ToyStream(request, rows)), &extraction, false, longest).ok());
      EXPECT_EQ(ToFloats(extraction.tensors[0]).value(), expected) << longest << " " << rows;
    }
  }
}

TEST(StreamAssembler, AChunkWithAnUnknownFieldIsAChunk) {
  Stream stream = GoodStream();
  v1::Chunk* chunk = stream[kFirstChunk].mutable_chunk();
  chunk->GetReflection()->MutableUnknownFields(chunk)->AddVarint(14, 1);
  Extraction extraction;
  ASSERT_TRUE(Assemble(stream, &extraction).ok());
  EXPECT_EQ(extraction.tensors[0].bytes.size(), 3 * kToyWidth * sizeof(float));
}

TEST(StreamAssembler, BytesThatAreNoMessageAreNoticed) {
  for (const size_t place : {kHeader, kFirstChunk, kTrailer}) {
    std::vector<std::string> messages = Serialized(GoodStream());
    messages[place].pop_back();
    Extraction extraction;
    const absl::Status status = Assemble(messages, &extraction);
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("no ExtractResponse"));
  }
}

// Whatever comes, the answer is either the good one or an error.
TEST(StreamAssembler, DamagedBytesNeverPassForOtherData) {
  const std::vector<std::string> good = Serialized(GoodStream());
  Extraction expected;
  ASSERT_TRUE(Assemble(good, &expected).ok());
  std::mt19937 random(2);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::string> messages = good;
    std::string& message = messages[kFirstChunk + random() % 3];
    message[random() % message.size()] = static_cast<char>(random());
    Extraction extraction;
    const absl::Status status = Assemble(messages, &extraction);
    if (!status.ok()) {
      ASSERT_TRUE(absl::IsDataLoss(status)) << status;
      continue;
    }
    ASSERT_EQ(extraction.tensors.size(), expected.tensors.size());
    for (size_t i = 0; i < expected.tensors.size(); ++i) {
      ASSERT_EQ(extraction.tensors[i].bytes.view(), expected.tensors[i].bytes.view());
    }
  }
}

// Megabytes of this process's memory that are in use, and that it has addresses for.
struct MemoryInUse {
  int64_t resident = 0;
  int64_t addresses = 0;
};
MemoryInUse Memory() {
  std::ifstream pages("/proc/self/statm");
  MemoryInUse memory;
  pages >> memory.addresses >> memory.resident;
  const int64_t per_megabyte = (1 << 20) / ::sysconf(_SC_PAGESIZE);
  return {memory.resident / per_megabyte, memory.addresses / per_megabyte};
}

// What the assembler reserves for one tensor at first, with room for what else the process maps.
constexpr int64_t kMostMegabytesSetAside = 512;

// An exabyte is announced and 32 bytes are sent: what is set aside for it stays within bounds.
TEST(StreamAssembler, AShapeAloneCostsNoMemory) {
  Stream stream = GoodStream();
  stream[kHeader].mutable_header()->set_data_bytes(uint64_t{1} << 60);
  v1::TensorInfo* info = stream[kFirstChunk].mutable_chunk()->mutable_info();
  info->set_shape(0, 1u << 28);
  info->set_shape(1, 1u << 28);
  stream.resize(kFirstChunk + 1);
  const MemoryInUse before = Memory();
  Extraction extraction;
  GatheringSink sink(&extraction);
  StreamAssembler assembler(/*validate_only=*/false, &sink);
  for (const std::string& message : Serialized(stream)) ASSERT_TRUE(assembler.Add({message}).ok());
  const MemoryInUse after = Memory();
  EXPECT_LT(after.resident - before.resident, 16);
  EXPECT_LT(after.addresses - before.addresses, kMostMegabytesSetAside);
  EXPECT_THAT(std::string(assembler.Finish().message()), HasSubstr("cut stream"));
}

TEST(StreamAssembler, OtherTensorsChunksMayComeBetween) {
  Stream stream = GoodStream();
  std::swap(stream[kSecondChunk], stream[kThirdChunk]);
  Extraction extraction;
  ASSERT_TRUE(Assemble(stream, &extraction).ok());
  EXPECT_EQ(extraction.tensors[1].bytes.size(), 3 * kToyWidth * sizeof(float));
}

TEST(StreamAssembler, ATensorWithoutRowsIsComplete) {
  v1::ExtractRequest request;
  request.add_inputs();
  request.add_hook_points("hidden_states");
  request.set_layout(v1::LAYOUT_ROWS);
  Extraction extraction;
  ASSERT_TRUE(Assemble(ToyStream(request), &extraction).ok());
  ASSERT_EQ(extraction.tensors.size(), kToyLayers);
  EXPECT_EQ(extraction.tensors[0].bytes.view(), "");
}

TEST(StreamAssembler, ACutAnywhereIsNoticed) {
  const Stream good = GoodStream();
  for (size_t length = 0; length < good.size(); ++length) {
    Extraction extraction;
    const absl::Status status =
        Assemble(Stream(good.begin(), good.begin() + static_cast<ptrdiff_t>(length)), &extraction);
    EXPECT_TRUE(absl::IsDataLoss(status)) << length;
    EXPECT_THAT(std::string(status.message()), HasSubstr("cut stream"));
  }
}

TEST(StreamAssembler, EachLostMessageIsNoticed) {
  for (size_t place = 0; place < GoodStream().size(); ++place) {
    AfterDamage([&](Stream& stream) { Erase(stream, place); });
  }
}

TEST(StreamAssembler, AFlippedBitIsNoticed) {
  EXPECT_THAT(AfterDamage([](Stream& stream) { (*stream[kSecondChunk].mutable_chunk()->mutable_data())[5] ^= 1; }),
              HasSubstr("CRC-32 of a chunk of blocks.1.hidden_states at byte 24"));
}

TEST(StreamAssembler, ChunksOutOfOrderAreNoticed) {
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kSecondChunk].mutable_chunk()->set_offset(12); }),
              HasSubstr("offset of a chunk of blocks.1.hidden_states: got 12, expected 24"));
}

TEST(StreamAssembler, MoreBytesThanTheShapeSaysAreNoticed) {
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kSecondChunk] = ToyChunk(0, 24, std::string(16, 'x')); }),
              HasSubstr("size of blocks.1.hidden_states: got 40, expected 36"));
}

TEST(StreamAssembler, AShapeBeyondTheAnnouncedBytesIsNoticed) {
  const auto with_shape = [](uint32_t rows, uint32_t width) {
    return AfterDamage([=](Stream& stream) {
      stream[kFirstChunk].mutable_chunk()->mutable_info()->set_shape(0, rows);
      stream[kFirstChunk].mutable_chunk()->mutable_info()->set_shape(1, width);
    });
  };
  EXPECT_THAT(with_shape(1000, 3), HasSubstr("does not fit the 48 bytes"));
  EXPECT_THAT(with_shape(0xffffffff, 0xffffffff), HasSubstr("does not fit")) << "a product that overflows";
}

TEST(StreamAssembler, AnUnknownTypeIsNoticed) {
  EXPECT_THAT(AfterDamage([](Stream& stream) {
                stream[kFirstChunk].mutable_chunk()->mutable_info()->set_dtype(static_cast<v1::Dtype>(99));
              }),
              HasSubstr("has type 99"));
}

TEST(StreamAssembler, CountsThatDifferAreNoticed) {
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kHeader].mutable_header()->set_tensors(3); }),
              HasSubstr("tensors: got 2, expected 3"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kHeader].mutable_header()->set_tensors(1); }),
              HasSubstr("got tensor 1, but the header announced 1 tensors"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kHeader].mutable_header()->set_data_bytes(60); }),
              HasSubstr("bytes: got 48, expected 60"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kTrailer].mutable_trailer()->set_tensors(1); }),
              HasSubstr("the trailer's tensors: got 1, expected 2"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kTrailer].mutable_trailer()->set_data_bytes(1); }),
              HasSubstr("the trailer's bytes: got 1, expected 48"));
}

TEST(StreamAssembler, MessagesInTheWrongPlaceAreNoticed) {
  EXPECT_THAT(AfterDamage([](Stream& stream) { std::swap(stream[kHeader], stream[kFirstInput]); }),
              HasSubstr("not the header"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { std::swap(stream[kFirstInput], stream[kSecondInput]); }),
              HasSubstr("index"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { std::swap(stream[kSecondInput], stream[kFirstChunk]); }),
              HasSubstr("inputs before"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream.push_back(stream[kTrailer]); }), HasSubstr("after the trailer"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream.insert(stream.begin(), stream[kHeader]); }),
              HasSubstr("second header"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kThirdChunk] = stream[kSecondChunk]; }),
              HasSubstr("was complete"));
  EXPECT_THAT(AfterDamage([](Stream& stream) {
                *stream[kSecondChunk].mutable_chunk()->mutable_info() = stream[kFirstChunk].chunk().info();
              }),
              HasSubstr("described twice"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kFirstChunk].mutable_chunk()->clear_info(); }),
              HasSubstr("does not say"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kSecondChunk].mutable_values()->set_tensor(0); }),
              HasSubstr("both as chunks"));
  EXPECT_THAT(AfterDamage([](Stream& stream) { stream[kSecondChunk].Clear(); }), HasSubstr("does not know"));
}

TEST(StreamAssembler, ValidateOnlyEndsAfterTheInputs) {
  Stream stream = GoodStream();
  stream.resize(kFirstChunk);
  Extraction extraction;
  EXPECT_TRUE(Assemble(stream, &extraction, /*validate_only=*/true).ok());
  stream.pop_back();
  EXPECT_TRUE(absl::IsDataLoss(Assemble(stream, &extraction, /*validate_only=*/true)));
}

}  // namespace
}  // namespace hydrophone::client
