#include "server/sched/turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kQuantum = 10;

class TurnsTest : public testing::Test {
 protected:
  void Push(const std::string& caller, const std::string& item, int64_t cost, uint32_t weight = 1) {
    turns_.Push({caller, weight}, item, cost);
  }
  std::string TakeNext() {
    std::string* next = turns_.Next([](const std::string&) { return true; });
    return next == nullptr ? "" : turns_.Take();
  }
  std::vector<std::string> TakeAll() {
    std::vector<std::string> taken;
    while (!turns_.empty()) taken.push_back(TakeNext());
    return taken;
  }

  Turns<std::string> turns_{kQuantum};
};

TEST_F(TurnsTest, ACallersItemsComeInTheirOrder) {
  for (const char* item : {"a", "b", "c"}) Push("one", item, 25);
  EXPECT_THAT(TakeAll(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(turns_.Next([](const std::string&) { return true; }), nullptr);
}

TEST_F(TurnsTest, CallersTakeTurnsHoweverManyItemsEachHas) {
  for (const char* item : {"a1", "a2", "a3", "a4"}) Push("a", item, kQuantum);
  Push("b", "b1", kQuantum);
  Push("c", "c1", kQuantum);
  EXPECT_THAT(TakeAll(), ElementsAre("a1", "b1", "c1", "a2", "a3", "a4"));
}

TEST_F(TurnsTest, ATurnIsWorthOneQuantumWhateverItemsCost) {
  for (int i = 0; i < 8; ++i) Push("small", "s", 5);
  for (int i = 0; i < 4; ++i) Push("large", "L", 10);
  EXPECT_THAT(TakeAll(), ElementsAre("s", "s", "L", "s", "s", "L", "s", "s", "L", "s", "s", "L"));
}

TEST_F(TurnsTest, WhatATurnLeavesIsAddedToTheNextOne) {
  for (int i = 0; i < 3; ++i) Push("a", "a", 15);
  for (int i = 0; i < 4; ++i) Push("b", "b", 10);
  // a has 10, 20, 15, 25: it takes one item in the second round, one in the third, one in the fifth.
  EXPECT_THAT(TakeAll(), ElementsAre("b", "a", "b", "a", "b", "b", "a"));
}

TEST_F(TurnsTest, SharesFollowTheWeights) {
  for (int i = 0; i < 100; ++i) {
    Push("heavy", "h", 7, 3);
    Push("light", "l", 4);
  }
  std::map<std::string, int64_t> work;
  for (int i = 0; i < 100; ++i) {
    const std::string item = TakeNext();
    work[item] += item == "h" ? 7 : 4;
  }
  EXPECT_NEAR(static_cast<double>(work["h"]) / static_cast<double>(work["l"]), 3, 0.3);
}

TEST_F(TurnsTest, AnItemThatCostsManyTurnsDelaysNoOther) {
  Push("giant", "G", 95);
  for (int i = 0; i < 12; ++i) Push("other", "o", 10);
  const std::vector<std::string> taken = TakeAll();
  EXPECT_EQ(taken[9], "G") << "after nine of the other's turns";
}

TEST_F(TurnsTest, ItemsThatAreNotEligibleArePassedOver) {
  Push("a", "long", 10);
  Push("a", "short", 10);
  Push("b", "long", 10);
  const std::string* next = turns_.Next([](const std::string& item) { return item == "short"; });
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(*next, "short");
  EXPECT_EQ(turns_.Take(), "short");
  EXPECT_EQ(turns_.Next([](const std::string& item) { return item == "short"; }), nullptr);
  EXPECT_EQ(turns_.size(), 2u);
}

TEST_F(TurnsTest, AnItemThatIsNotTakenStaysTheNextOne) {
  Push("a", "a", 10);
  Push("b", "b", 10);
  EXPECT_EQ(*turns_.Next([](const std::string&) { return true; }), "a");
  EXPECT_EQ(*turns_.Next([](const std::string&) { return true; }), "a");
}

TEST_F(TurnsTest, AnItemCanBePaidForInParts) {
  Push("a", "a", 10);
  Push("b", "b", 10);
  ASSERT_EQ(*turns_.Next([](const std::string&) { return true; }), "a");
  turns_.Spend(10);
  EXPECT_THAT(TakeAll(), ElementsAre("b", "a"));
}

TEST_F(TurnsTest, ACallerThatComesBackHasSavedNothingUp) {
  Push("a", "a1", 1);
  EXPECT_EQ(TakeNext(), "a1");
  Push("a", "a2", 19);
  Push("b", "b1", 10);
  Push("b", "b2", 10);
  EXPECT_THAT(TakeAll(), ElementsAre("b1", "a2", "b2")) << "with nine left over, a2 would have come first";
}

TEST_F(TurnsTest, RemovedItemsAreHandedOutAndTheRestGoesOn) {
  Push("a", "x", 10);
  Push("b", "y", 10);
  Push("b", "x", 10);
  Push("c", "y", 10);
  std::vector<std::string> removed;
  turns_.Remove([](const std::string& item) { return item == "x"; },
                [&](std::string item) { removed.push_back(std::move(item)); });
  EXPECT_THAT(removed, ElementsAre("x", "x"));
  EXPECT_EQ(turns_.size(), 2u);
  EXPECT_THAT(TakeAll(), ElementsAre("y", "y"));
  EXPECT_THAT(TakeAll(), IsEmpty());
}

}  // namespace
}  // namespace hydrophone
