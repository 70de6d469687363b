#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/client/cpp/cli/command_line_fixture.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ParametersCommandTest : public CommandLineTest {
 protected:
  std::string Out(const std::string& name) const { return directory_.path() + "/" + name; }
};

TEST_F(ParametersCommandTest, ListsNamesAndShapesAlone) {
  const Result result = Run({"parameters"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("transformer.wte.weight"));
  EXPECT_THAT(result.out, HasSubstr("[2, 3]"));
  ASSERT_EQ(service_.parameters_requests().size(), 1u);
  EXPECT_TRUE(service_.parameters_requests()[0].list_only());
}

TEST_F(ParametersCommandTest, JsonIsTheHeader) {
  const auto json = nlohmann::json::parse(Run({"parameters", "--json"}).out);
  EXPECT_EQ(json["parameters"][1]["tied_to"], "transformer.wte.weight");
  EXPECT_EQ(json["tensors"], 2);
}

TEST_F(ParametersCommandTest, AsksForRowsOfEachNameInTheOrderGiven) {
  EXPECT_EQ(Run({"parameters", "--name", "wte.weight", "--name", "lm_head.weight", "--rows", "5,2-3", "--dtype",
                 "float16", "--out", Out("a.safetensors")})
                .status,
            0);
  const v1::GetParametersRequest request = service_.parameters_requests()[0];
  EXPECT_FALSE(request.list_only());
  EXPECT_EQ(request.dtype(), v1::DTYPE_FLOAT16);
  ASSERT_EQ(request.parameters_size(), 2);
  EXPECT_EQ(request.parameters(1).name(), "lm_head.weight");
  EXPECT_THAT(request.parameters(1).rows(), ElementsAre(5, 2, 3));
}

TEST_F(ParametersCommandTest, WhatContradictsItselfIsRefusedUnasked) {
  EXPECT_THAT(Run({"parameters", "--rows", "1", "--out", Out("a.safetensors")}).err,
              HasSubstr("--rows: got rows of no parameter"));
  EXPECT_THAT(Run({"parameters", "--name", "a", "--rows", "-1", "--out", Out("a.safetensors")}).err,
              HasSubstr("--rows: got -1"));
  EXPECT_THAT(Run({"parameters", "--name", "a", "--rows", "x", "--out", Out("a.safetensors")}).err,
              HasSubstr("--rows"));
  EXPECT_THAT(Run({"parameters", "--out", Out("a.npy")}).err, HasSubstr("expected FILE.safetensors"));
  EXPECT_EQ(Run({"parameters", "--dtype", "float16"}).status, 2) << "--out is missing";
  EXPECT_EQ(Run({"parameters", "--force"}).status, 2) << "--out is missing";
  EXPECT_THAT(Run({"parameters", "--name", "a", "--rows", "1"}).err, HasSubstr("--rows requires --out"));
  EXPECT_TRUE(service_.parameters_requests().empty());
}

TEST_F(ParametersCommandTest, AFileIsOverwrittenWithForceAlone) {
  const std::string out = Out("a.safetensors");
  EXPECT_THAT(Run({"parameters", "--out", out}).out, HasSubstr("written to"));
  const Result refused = Run({"parameters", "--out", out});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("is there already"));
  EXPECT_EQ(Run({"parameters", "--out", out, "--force"}).status, 0);
}

TEST_F(ParametersCommandTest, ADamagedAnswerLeavesNoFile) {
  service_.on_get_parameters = [](const v1::GetParametersRequest& request) {
    auto messages = ToyParameters(request);
    messages[1].mutable_chunk()->set_crc32(1);
    return messages;
  };
  const Result result = Run({"parameters", "--out", Out("a.safetensors")});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.err, HasSubstr("CRC-32"));
  EXPECT_FALSE(std::filesystem::exists(Out("a.safetensors")));
}

}  // namespace
}  // namespace hydrophone::client
