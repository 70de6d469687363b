#include "server/plan/edits/knock_outs.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/fake_server.h"

namespace hydrophone {
namespace {

constexpr float kOut = -std::numeric_limits<float>::infinity();

// Edits of head 0 of layer 0 of a run of four tokens.
class KnockOutsTest : public ::testing::Test {
 protected:
  // What an edit of these keys at the query leaves without any.
  std::string Add(int64_t query, std::vector<int32_t> keys, std::vector<float> values, bool replaces = false) {
    EditTarget target;
    target.run.length = 4;
    target.info = &HookPointOf(Site::kAttnScores);
    target.layers = {0};
    target.positions = {query};
    target.units.heads = {0};
    target.units.features = std::move(keys);
    EditValues edit;
    edit.strides = {0, 0, values.size() > 1 ? 1 : 0};
    edit.elements = std::make_shared<const std::vector<float>>(std::move(values));
    return knock_outs_.Add(target, edit, replaces);
  }

  FakeServer server_;
  KnockOuts knock_outs_{server_.model};
};

TEST_F(KnockOutsTest, AQueryKeepsTheKeysThatAreNotNamed) { EXPECT_EQ(Add(2, {0, 1}, {kOut}), ""); }

TEST_F(KnockOutsTest, WhatTheMaskHidesIsNoKey) {
  EXPECT_EQ(Add(1, {2, 3}, {kOut}), "");
  EXPECT_EQ(Add(1, {0, 1}, {kOut}), "query 1 of head 0 at layer 0");
}

TEST_F(KnockOutsTest, SeveralEditsTogetherMayTakeTheLastKey) {
  EXPECT_EQ(Add(1, {0}, {kOut}), "");
  EXPECT_EQ(Add(1, {1}, {0.5f}), "");
  EXPECT_EQ(Add(1, {1}, {kOut}), "query 1 of head 0 at layer 0");
}

TEST_F(KnockOutsTest, ANumberThatIsSetGivesAKeyBack) {
  EXPECT_EQ(Add(1, {0}, {kOut}), "");
  EXPECT_EQ(Add(1, {0}, {1.0f}, /*replaces=*/true), "");
  EXPECT_EQ(Add(1, {1}, {kOut}), "");
}

TEST_F(KnockOutsTest, ANumberThatIsAddedDoesNot) {
  EXPECT_EQ(Add(1, {0}, {kOut}), "");
  EXPECT_EQ(Add(1, {0}, {1.0f}), "");
  EXPECT_EQ(Add(1, {1}, {kOut}), "query 1 of head 0 at layer 0");
}

TEST_F(KnockOutsTest, AllKeysAreMeantWhereNoneAreNamed) {
  EXPECT_EQ(Add(3, {}, {kOut, kOut, kOut, 0}), "");
  EXPECT_EQ(Add(3, {}, {0, 0, 0, kOut}), "query 3 of head 0 at layer 0");
}

}  // namespace
}  // namespace hydrophone
