#include "server/checkpoint/shard_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(ShardIndexTest, GivesEachTensorsFile) {
  const auto shard_of = ParseShardIndex(
      R"({"metadata": {"total_size": 8}, "weight_map": {"b": "m-2-of-2.safetensors", "a": "x.safetensors"}})");
  ASSERT_TRUE(shard_of.ok()) << shard_of.status();
  EXPECT_THAT(*shard_of, ElementsAre(Pair("a", "x.safetensors"), Pair("b", "m-2-of-2.safetensors")));
}

TEST(ShardIndexTest, RefusesNamesThatLeadElsewhere) {
  for (const char* name : {"../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..\\\\x.safetensors",
                           ".safetensors", "..", "", "pytorch_model.bin", "x.safetensors/", "x\\u0000.safetensors"}) {
    const auto shard_of = ParseShardIndex(absl::StrCat(R"({"weight_map": {"a": ")", name, R"("}})"));
    EXPECT_EQ(shard_of.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(shard_of.status().message(), HasSubstr("expected a plain name")) << name;
  }
}

TEST(ShardIndexTest, RefusesWhatIsNoIndex) {
  for (const char* text :
       {"", "[]", "{}", R"({"weight_map": []})", R"({"weight_map": {}})", R"({"weight_map": {"a": 1}})",
        R"({"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}})"}) {
    EXPECT_EQ(ParseShardIndex(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace hydrophone
