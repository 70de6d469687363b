#include "client/cpp/files/json_file.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// json.dumps({"b": [1, 2], "a": {}, "é": None, "c": []}, indent=1, sort_keys=True) + "\\n"
TEST(JsonFile, HasTheBytesOfPythonsIndentedJson) {
  const TemporaryDirectory directory;
  const nlohmann::json value = {
      {"b", {1, 2}}, {"a", nlohmann::json::object()}, {"\u00e9", nullptr}, {"c", nlohmann::json::array()}};
  ASSERT_TRUE(WriteJsonFile(directory / "x.json", value).ok());
  EXPECT_EQ(ReadFile(directory / "x.json"),
            "{\n \"a\": {},\n \"b\": [\n  1,\n  2\n ],\n \"c\": [],\n \"\\u00e9\": null\n}\n");
  EXPECT_EQ(ReadJsonFile(directory / "x.json").value(), value);
  EXPECT_THAT(directory.List(), ElementsAre("x.json"));
}

TEST(JsonFile, WhatIsNoObjectIsRefusedByName) {
  const TemporaryDirectory directory;
  const std::string path = directory / "x.json";
  WriteFile(path, "[1]");
  EXPECT_THAT(std::string(ReadJsonFile(path).status().message()), HasSubstr("x.json holds no JSON object"));
  WriteFile(path, "{");
  EXPECT_THAT(std::string(ReadJsonFile(path).status().message()), HasSubstr("x.json "));
  EXPECT_THAT(std::string(ReadJsonFile(directory / "none").status().message()), HasSubstr("none "));
}

}  // namespace
}  // namespace hydrophone::client
