#include "server/wire/request_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "hydrophone/v1/extract.pb.h"
#include "hydrophone/v1/tokenize.pb.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

absl::Status Check(const std::string& bytes, const Limits& limits = {}) {
  return CheckWireFormat(bytes, v1::ExtractRequest::descriptor(), limits);
}

// A length-delimited field of a number below 16, with less than 128 bytes in it.
std::string Field(int number, const std::string& content) {
  std::string head = {static_cast<char>(number << 3 | 2), static_cast<char>(content.size())};
  return head + content;
}

constexpr char kEverything[] = R"(
    model: 'm' texts: ['a', 'ä'] inputs { raw_text: '\377' token_ids: [1, 2, 300] prepend_bos: true key: 'k' }
    hook_points: 'hook_embed' view: VIEW_SUMMARY dtype: DTYPE_BFLOAT16 train_seed: 18446744073709551615
    hooks { hook_point: 'h' layers: [-1, 2] positions { per_input { at: [-1] } per_input { slice: ':' } }
            summary { threshold: 0.5 quantiles: [0.1, 0.2] } runs: 1 project { shape: [1, 2] floats: [1, 2] } }
    runs { input: 1 interventions { patch { run: 1 layer: -1 positions { per_input { at: 1 } } } } baseline: 0 }
    metrics { logit_diff { correct: 1 wrong: 2 } })";

TEST(CheckWireFormat, TakesEverythingThatTheApiHas) {
  EXPECT_TRUE(Check(Parse<v1::ExtractRequest>(kEverything).SerializeAsString()).ok());
  EXPECT_TRUE(Check("").ok());
}

TEST(CheckWireFormat, TakesListsThatAreNotPacked) {
  // inputs[0].token_ids = 5, then 6, as fields of their own.
  EXPECT_TRUE(Check(Field(3, "\x18\x05\x18\x06")).ok());
}

TEST(CheckWireFormat, NamesUnknownFieldsAtAnyDepth) {
  std::string bytes = Field(3, "") + Field(3, Field(9, "future")) + "\xC8\x3E\x01";  // 1001 as a varint
  EXPECT_THAT(Lines(Check(bytes)), ElementsAre("inputs[1].9: got field 9, which this server does not know",
                                               "1001: got field 1001, which this server does not know"));
}

TEST(CheckWireFormat, NamesUnknownEnumValuesAtAnyDepth) {
  auto request = Parse<v1::ExtractRequest>("hooks {} hooks {} ");
  request.set_view(static_cast<v1::View>(77));
  request.mutable_hooks(1)->set_dtype(static_cast<v1::Dtype>(-1));
  EXPECT_THAT(Lines(Check(request.SerializeAsString())),
              ElementsAre("hooks[1].dtype: got -1, which this server does not know as a Dtype",
                          "view: got 77, which this server does not know as a View"));
}

TEST(CheckWireFormat, NamesFieldsInAnotherEncoding) {
  // inputs[0].key as a varint.
  EXPECT_THAT(Lines(Check(Field(3, "\x20\x05"))),
              ElementsAre("inputs[0].key: got field 4 in encoding 0, expected encoding 2"));
}

TEST(CheckWireFormat, NamesStringsThatAreNotUtf8) {
  EXPECT_THAT(Lines(Check(Field(2, "ok") + Field(2, "\xFF"))), ElementsAre("texts[1]: got bytes that are not UTF-8"));
  EXPECT_TRUE(Check(Field(3, Field(2, "\xFF"))).ok()) << "raw_text may hold any bytes";
}

TEST(CheckWireFormat, SaysWhereBytesBreakOff) {
  EXPECT_THAT(Lines(Check(Field(3, "\x0A\x7F"))),
              ElementsAre(HasSubstr("inputs[0].text: got bytes that are no protobuf")));
  EXPECT_THAT(Lines(Check("\xFF\xFF\xFF")), ElementsAre(HasSubstr("request: got bytes that are no protobuf")));
}

TEST(CheckWireFormat, RefusesEveryTruncation) {
  std::string bytes = Parse<v1::ExtractRequest>(kEverything).SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    bool parses = v1::ExtractRequest().ParseFromString(bytes.substr(0, size));
    EXPECT_EQ(Check(bytes.substr(0, size)).ok(), parses) << size;
  }
}

TEST(CheckWireFormat, TakesNothingThatProtobufRefusesOrDoesNotKnow) {
  std::string bytes = Parse<v1::ExtractRequest>(kEverything).SerializeAsString();
  std::mt19937 random(7);
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string changed = bytes;
    for (int i = 0; i < 2; ++i) changed[random() % changed.size()] = static_cast<char>(random());
    if (!Check(changed).ok()) continue;
    ++taken;
    v1::ExtractRequest request;
    ASSERT_TRUE(request.ParseFromString(changed)) << round;
    v1::ExtractRequest known = request;
    known.DiscardUnknownFields();
    ASSERT_EQ(known.ByteSizeLong(), request.ByteSizeLong()) << round;
  }
  EXPECT_GT(taken, 1000);
}

TEST(CheckWireFormat, KeepsSixteenViolationsAndCountsAll) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += Field(3, Field(9, ""));
  absl::Status status = Check(bytes);
  EXPECT_THAT(Lines(status), SizeIs(16));
  EXPECT_EQ(ViolationTotalOf(status), 1000u);
}

TEST(CheckWireFormat, BoundsTheNumberOfElements) {
  Limits limits;
  limits.max_request_elements = 5;
  auto five = Parse<v1::ExtractRequest>("inputs { token_ids: [1, 2, 3] } hook_points: 'a'");
  EXPECT_TRUE(Check(five.SerializeAsString(), limits).ok());
  five.add_texts("");
  absl::Status status = Check(five.SerializeAsString(), limits);
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre("request: needs 6 messages and list elements, the limit is 5"));
}

TEST(CheckWireFormat, BoundsTheNumberOfBytes) {
  Limits limits;
  limits.max_request_bytes = 10;
  EXPECT_EQ(ReasonOf(Check(std::string(11, 'x'), limits)), "TOO_LARGE");
}

TEST(CheckWireFormat, BoundsTheDepth) {
  std::string nested;
  for (int i = 0; i < 30; ++i) nested = Field(3, nested);  // Positions.per_input
  absl::Status status = Check(Field(5, Field(3, nested)));
  EXPECT_THAT(Lines(status), ElementsAre(HasSubstr("got messages nested more than 16 deep")));
}

TEST(ParseRequest, ParsesWhatIsFine) {
  auto request = Parse<v1::ExtractRequest>(kEverything);
  v1::ExtractRequest parsed;
  ASSERT_TRUE(ParseRequest(request.SerializeAsString(), {}, &parsed).ok());
  EXPECT_EQ(parsed.SerializeAsString(), request.SerializeAsString());
}

TEST(ParseRequest, LeavesOutWhatIsNot) {
  v1::DetokenizeRequest parsed;
  EXPECT_EQ(ParseRequest(Field(2, ""), {}, &parsed).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydrophone
