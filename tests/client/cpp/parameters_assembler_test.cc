#include "client/cpp/parameters_assembler.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/toy_model.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Stream = std::vector<v1::GetParametersResponse>;

// Where the messages of the toy's answer stand: two chunks for each of two tensors.
enum Place : size_t { kHeader, kFirstChunk, kSecondChunk, kThirdChunk, kFourthChunk, kTrailer };

class NamesSink final : public ParametersSink {
 public:
  absl::Status OnTensor(ReceivedTensor tensor) override {
    names.push_back(tensor.info.name());
    floats = *ToFloats(tensor);
    return absl::OkStatus();
  }
  std::vector<std::string> names;
  std::vector<float> floats;  // of the last tensor
};

absl::Status Assemble(const Stream& stream, NamesSink* sink, bool list_only = false) {
  ParametersAssembler assembler(list_only, sink);
  for (const v1::GetParametersResponse& message : stream) {
    const std::string bytes = message.SerializeAsString();
    const absl::string_view pieces[] = {bytes};
    if (absl::Status status = assembler.Add(pieces); !status.ok()) return status;
  }
  return assembler.Finish();
}

// What is said of the toy's answer after `damage`.
std::string AfterDamage(const std::function<void(Stream&)>& damage, bool list_only = false) {
  Stream stream = ToyParameters({});
  damage(stream);
  NamesSink sink;
  const absl::Status status = Assemble(stream, &sink, list_only);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  return std::string(status.message());
}

void Erase(Stream& stream, size_t place) { stream.erase(stream.begin() + static_cast<ptrdiff_t>(place)); }

TEST(ParametersAssembler, PutsChunksTogether) {
  NamesSink sink;
  ASSERT_TRUE(Assemble(ToyParameters({}), &sink).ok());
  EXPECT_THAT(sink.names, ElementsAre("transformer.wte.weight", "lm_head.weight"));
  EXPECT_THAT(sink.floats, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(ParametersAssembler, AListHasNoTensors) {
  v1::GetParametersRequest request;
  request.set_list_only(true);
  NamesSink sink;
  EXPECT_TRUE(Assemble(ToyParameters(request), &sink, /*list_only=*/true).ok());
  EXPECT_THAT(AfterDamage([](Stream&) {}, /*list_only=*/true), HasSubstr("a tensor in the answer to list_only"));
}

TEST(ParametersAssembler, DamageIsNoticed) {
  EXPECT_THAT(AfterDamage([](Stream& s) { s[kSecondChunk].mutable_chunk()->set_crc32(1); }), HasSubstr("CRC-32"));
  EXPECT_THAT(AfterDamage([](Stream& s) { Erase(s, kSecondChunk); }), HasSubstr("bytes of transformer.wte.weight"));
  EXPECT_THAT(AfterDamage([](Stream& s) { s.erase(s.begin() + kThirdChunk, s.begin() + kTrailer); }),
              HasSubstr("tensors: got 1, expected 2"));
  EXPECT_THAT(AfterDamage([](Stream& s) { s[kTrailer].mutable_trailer()->set_data_bytes(1); }),
              HasSubstr("the trailer's bytes"));
  EXPECT_THAT(AfterDamage([](Stream& s) { s[kFirstChunk].Clear(); }), HasSubstr("a kind that this client"));
}

TEST(ParametersAssembler, MessagesInAnotherOrderAreNoticed) {
  EXPECT_THAT(AfterDamage([](Stream& s) { Erase(s, kHeader); }), HasSubstr("first message is not the header"));
  EXPECT_THAT(AfterDamage([](Stream& s) { s = {s[kTrailer]}; }), HasSubstr("first message is not the header"));
  EXPECT_THAT(AfterDamage([](Stream& s) { s[kFirstChunk] = s[kHeader]; }), HasSubstr("second header"));
  EXPECT_THAT(AfterDamage([](Stream& s) { s.push_back(s[kTrailer]); }), HasSubstr("after the trailer"));
}

TEST(ParametersAssembler, ACutStreamIsNoticed) {
  EXPECT_THAT(AfterDamage([](Stream& s) { s.clear(); }), HasSubstr("ended before its header"));
  EXPECT_THAT(AfterDamage([](Stream& s) { s.pop_back(); }), HasSubstr("without a trailer, after 2 of 2 tensors"));
}

TEST(ParametersAssembler, BytesThatAreNoMessageAreNoticed) {
  NamesSink sink;
  ParametersAssembler assembler(false, &sink);
  const absl::string_view pieces[] = {"\xff"};
  EXPECT_THAT(std::string(assembler.Add(pieces).message()), HasSubstr("no GetParametersResponse"));
}

}  // namespace
}  // namespace hydrophone::client
