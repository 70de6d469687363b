#include "server/base/safetensors_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/messages.h"
#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;

// The tensors, one a line: "a F32 [2, 3] 16..40"; or the error.
std::string Parsed(absl::string_view file) {
  const absl::StatusOr<std::vector<SafetensorsTensor>> tensors = ParseSafetensorsHeader(file, file.size());
  if (!tensors.ok()) {
    EXPECT_EQ(tensors.status().code(), absl::StatusCode::kDataLoss);
    return std::string(tensors.status().message());
  }
  return absl::StrJoin(*tensors, "\n", [](std::string* out, const SafetensorsTensor& tensor) {
    absl::StrAppend(out, tensor.name, " ", tensor.dtype, " ", ShapeText(tensor.shape), " ", tensor.begin, "..",
                    tensor.end);
  });
}

std::string ParsedHeader(absl::string_view header, size_t data_size = 0) {
  return Parsed(SafetensorsWithHeader(header, data_size));
}

// The header of one tensor "a".
std::string OneTensor(absl::string_view dtype, absl::string_view shape, absl::string_view offsets) {
  return absl::StrCat(R"({"a":{"dtype":)", dtype, R"(,"shape":)", shape, R"(,"data_offsets":)", offsets, "}}");
}

TEST(SafetensorsTest, GivesTheTensorsInTheOrderOfTheirBytes) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[2,26]},)"
      R"("b":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
      R"("c":{"shape":[],"data_offsets":[26,28],"dtype":"BF16"}}  )";
  const size_t data = 8 + header.size();
  EXPECT_EQ(ParsedHeader(header, 28), absl::StrCat("b F16 [1] ", data, "..", data + 2, "\na F32 [2, 3] ", data + 2,
                                                   "..", data + 26, "\nc BF16 [] ", data + 26, "..", data + 28));
}

TEST(SafetensorsTest, AFileMayHoldNothing) {
  EXPECT_EQ(ParsedHeader("{}"), "");
  EXPECT_EQ(ParsedHeader(R"({"__metadata__":{}})"), "");
}

TEST(SafetensorsTest, TensorsMayBeEmpty) {
  EXPECT_EQ(ParsedHeader(R"({"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},)"
                         R"("b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                         1),
            "a F32 [0, 3] 116..116\nb U8 [1] 116..117");
}

TEST(SafetensorsTest, KnowsEveryDtypesSize) {
  for (const auto& [dtype, bytes] : std::vector<std::pair<std::string, int>>{{"BOOL", 8},
                                                                             {"U8", 8},
                                                                             {"I8", 8},
                                                                             {"F8_E4M3", 8},
                                                                             {"F8_E5M2", 8},
                                                                             {"F4", 4},
                                                                             {"F6_E2M3", 6},
                                                                             {"I16", 16},
                                                                             {"U16", 16},
                                                                             {"F16", 16},
                                                                             {"BF16", 16},
                                                                             {"I32", 32},
                                                                             {"U32", 32},
                                                                             {"F32", 32},
                                                                             {"I64", 64},
                                                                             {"U64", 64},
                                                                             {"F64", 64},
                                                                             {"C64", 64}}) {
    const std::string header = OneTensor(absl::StrCat("\"", dtype, "\""), "[8]", absl::StrCat("[0,", bytes, "]"));
    EXPECT_THAT(ParsedHeader(header, static_cast<size_t>(bytes)), HasSubstr(absl::StrCat("a ", dtype, " [8]")));
  }
}

TEST(SafetensorsTest, ThePaddedHeaderNeedsNoMoreThanItself) {
  const std::string file = SafetensorsFile(SmallTensors());
  const uint64_t head_size = SafetensorsHeadSize(file, file.size()).value();
  EXPECT_TRUE(ParseSafetensorsHeader(absl::string_view(file).substr(0, head_size), file.size()).ok());
  EXPECT_THAT(ParseSafetensorsHeader(absl::string_view(file).substr(0, head_size - 1), file.size()).status().message(),
              HasSubstr("is cut short"));
}

TEST(SafetensorsTest, RefusesFilesThatAreTooShort) {
  const std::string file = SafetensorsWithHeader("{}", 0);
  for (size_t size = 0; size < 8; ++size) {
    EXPECT_THAT(Parsed(absl::string_view(file).substr(0, size)), HasSubstr("too few for a safetensors file"));
  }
  for (size_t size = 8; size < file.size(); ++size) {
    EXPECT_THAT(Parsed(absl::string_view(file).substr(0, size)), HasSubstr("says it has 2 bytes"));
  }
}

TEST(SafetensorsTest, RefusesHeadersBeyondTheLimit) {
  EXPECT_THAT(Parsed("\xff\xff\xff\xff\xff\xff\xff\xff{}"), HasSubstr("the format's limit is 100000000"));
  const std::string just_over("\x01\xe1\xf5\x05\0\0\0\0", 8);  // 100,000,001
  EXPECT_THAT(SafetensorsHeadSize(just_over, uint64_t{1} << 40).status().message(),
              HasSubstr("says it has 100000001 bytes"));
  const std::string at_limit(std::string("\0\xe1\xf5\x05\0\0\0\0", 8));
  EXPECT_EQ(SafetensorsHeadSize(at_limit, uint64_t{1} << 40).value(), 100'000'008u);
}

TEST(SafetensorsTest, RefusesWhatIsNoJsonObject) {
  EXPECT_THAT(ParsedHeader(""), HasSubstr("does not begin with"));
  EXPECT_THAT(ParsedHeader(" {}"), HasSubstr("does not begin with"));
  EXPECT_THAT(ParsedHeader("[]"), HasSubstr("does not begin with"));
  EXPECT_THAT(ParsedHeader("{"), HasSubstr("is not JSON"));
  EXPECT_THAT(ParsedHeader("{}{}"), HasSubstr("is not JSON"));
  EXPECT_THAT(ParsedHeader(std::string("{}\0", 3)), HasSubstr("is not JSON"));
  EXPECT_THAT(ParsedHeader("{\"\xff\":1}"), HasSubstr("is not JSON"));
}

TEST(SafetensorsTest, RefusesRepeatedNames) {
  const std::string entry = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_THAT(ParsedHeader(absl::StrCat("{", entry, ",", entry, "}"), 1), HasSubstr("has the key \"a\" twice"));
}

TEST(SafetensorsTest, RefusesDepthBombs) {
  std::string bomb;
  for (int i = 0; i < 1'000'000; ++i) bomb += "{\"a\":";
  EXPECT_THAT(ParsedHeader(bomb), HasSubstr("nests deeper"));
  EXPECT_THAT(ParsedHeader("{\"a\":" + std::string(10'000'000, '[')), HasSubstr("nests deeper"));
}

TEST(SafetensorsTest, RefusesEntriesOfOtherForms) {
  for (const char* entry : {"1", "null", "[]", "{}", "\"x\"", R"({"dtype":"U8","shape":[1]})",
                            R"({"dtype":1,"shape":[1],"data_offsets":[0,1]})",
                            R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1})"}) {
    EXPECT_THAT(ParsedHeader(absl::StrCat("{\"a\":", entry, "}"), 1),
                HasSubstr("exactly dtype (a string), shape and data_offsets"))
        << entry;
  }
  EXPECT_THAT(ParsedHeader(OneTensor("\"F31\"", "[1]", "[0,4]"), 4), HasSubstr("unknown dtype \"F31\""));
  EXPECT_THAT(ParsedHeader(OneTensor("\"f32\"", "[1]", "[0,4]"), 4), HasSubstr("unknown dtype \"f32\""));
}

TEST(SafetensorsTest, RefusesImpossibleShapes) {
  EXPECT_THAT(ParsedHeader(OneTensor("\"U8\"", "1", "[0,1]"), 1), HasSubstr("a shape that is no array"));
  for (const char* shape : {"[-1]", "[1.0]", "[\"1\"]", "[null]", "[[1]]", "[true]", "[9223372036854775808]",
                            "[18446744073709551616]", "[1e3]"}) {
    EXPECT_THAT(ParsedHeader(OneTensor("\"U8\"", shape, "[0,1]"), 1), HasSubstr("no integer from 0 to 2^63-1"))
        << shape;
  }
  for (const char* shape : {"[9223372036854775807,9223372036854775807]", "[4294967296,4294967296]",
                            "[2305843009213693952,8]", "[9223372036854775807,9223372036854775807,0]"}) {
    EXPECT_THAT(ParsedHeader(OneTensor("\"F32\"", shape, "[0,0]")), HasSubstr("impossible shape")) << shape;
  }
  EXPECT_THAT(ParsedHeader(OneTensor("\"F4\"", "[3]", "[0,2]"), 2), HasSubstr("impossible shape"));
}

TEST(SafetensorsTest, RefusesImpossibleOffsets) {
  for (const char* offsets :
       {"1", "[]", "[0]", "[0,1,2]", "[-1,0]", "[0,1.0]", "[0,\"1\"]", "[0,18446744073709551616]"}) {
    EXPECT_THAT(ParsedHeader(OneTensor("\"U8\"", "[1]", offsets), 1), HasSubstr("not two unsigned integers"))
        << offsets;
  }
  EXPECT_THAT(ParsedHeader(OneTensor("\"U8\"", "[1]", "[1,0]"), 1), HasSubstr("ends before it begins"));
  EXPECT_THAT(ParsedHeader(OneTensor("\"U8\"", "[2]", "[0,2]"), 1),
              HasSubstr("ends at byte 2 of the data, which has 1"));
  EXPECT_THAT(ParsedHeader(OneTensor("\"U8\"", "[2]", "[18446744073709551614,18446744073709551615]"), 2),
              HasSubstr("ends at byte"));
}

TEST(SafetensorsTest, RefusesSizesThatTheShapeDoesNotMake) {
  EXPECT_THAT(ParsedHeader(OneTensor("\"F32\"", "[2]", "[0,4]"), 4), HasSubstr("has 4 bytes, expected 8 for F32 [2]"));
  EXPECT_THAT(ParsedHeader(OneTensor("\"F32\"", "[]", "[0,8]"), 8), HasSubstr("has 8 bytes, expected 4 for F32 []"));
}

TEST(SafetensorsTest, RefusesOverlapsGapsAndTrailingBytes) {
  const auto two = [](const char* a, const char* b) {
    return absl::StrCat(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)", a,
                        R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)", b, "}}");
  };
  EXPECT_THAT(ParsedHeader(two("[0,4]", "[4,8]"), 8), HasSubstr("b U8 [4]"));
  EXPECT_THAT(ParsedHeader(two("[0,4]", "[0,4]"), 4), HasSubstr("overlaps another one"));
  EXPECT_THAT(ParsedHeader(two("[0,4]", "[3,7]"), 7), HasSubstr("overlaps another one"));
  EXPECT_THAT(ParsedHeader(two("[0,4]", "[5,9]"), 9), HasSubstr("begins at byte 5 of the data, expected 4"));
  EXPECT_THAT(ParsedHeader(two("[1,5]", "[5,9]"), 9), HasSubstr("begins at byte 1 of the data, expected 0"));
  EXPECT_THAT(ParsedHeader(two("[0,4]", "[4,8]"), 9), HasSubstr("describes 8 bytes of data, the file has 9"));
  EXPECT_THAT(ParsedHeader("{}", 1), HasSubstr("describes 0 bytes of data, the file has 1"));
}

TEST(SafetensorsTest, MetadataMayBeNull) { EXPECT_EQ(ParsedHeader(R"({"__metadata__":null})"), ""); }

TEST(SafetensorsTest, RefusesMetadataThatIsNoMapOfStrings) {
  for (const char* metadata : {"1", "[]", "\"x\"", R"({"a":1})", R"({"a":{"b":"c"}})", R"({"a":null})"}) {
    EXPECT_THAT(ParsedHeader(absl::StrCat("{\"__metadata__\":", metadata, "}")), HasSubstr("__metadata__")) << metadata;
  }
}

TEST(SafetensorsTest, ErrorsAreBoundedAndPrintable) {
  const std::string name(1 << 20, 'n');
  const std::string error = ParsedHeader(absl::StrCat("{\"", name, "\\n\":1}"));
  EXPECT_LT(error.size(), 300u);
}

}  // namespace
}  // namespace hydrophone
