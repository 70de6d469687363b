#include "server/plan/inputs/positions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<int64_t> Listed(const SelectedRows& rows) {
  std::vector<int64_t> list;
  for (int64_t i = 0; i < rows.count(); ++i) list.push_back(rows[i]);
  return list;
}

std::vector<int64_t> Sliced(absl::string_view text, int64_t length) {
  absl::StatusOr<Slice> slice = ParseSlice(text);
  EXPECT_TRUE(slice.ok()) << slice.status();
  return Listed(ApplySlice(*slice, length));
}

std::vector<std::vector<int64_t>> Selected(const std::string& text, std::vector<int64_t> lengths,
                                           Violations* violations) {
  auto positions = Parse<v1::Positions>(text);
  std::vector<std::vector<int64_t>> selected;
  for (const SelectedRows& rows : SelectRows(&positions, "p", lengths, violations)) selected.push_back(Listed(rows));
  return selected;
}

// Each element as Python's manual puts it: walk from the start by the step while before the stop;
// take those that exist.
std::vector<int64_t> Walked(std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step, int64_t length) {
  auto from_the_start = [&](int64_t bound) { return bound < 0 ? bound + length : bound; };
  std::vector<int64_t> walked;
  if (step > 0) {
    int64_t end = stop ? from_the_start(*stop) : length;
    for (int64_t i = start ? std::max<int64_t>(from_the_start(*start), 0) : 0; i < length && i < end; i += step) {
      walked.push_back(i);
    }
  } else {
    int64_t end = stop ? from_the_start(*stop) : -1;
    for (int64_t i = start ? std::min(from_the_start(*start), length - 1) : length - 1; i >= 0 && i > end; i += step) {
      walked.push_back(i);
    }
  }
  return walked;
}

std::string Written(std::optional<int64_t> bound) { return bound ? absl::StrCat(*bound) : ""; }

TEST(ApplySlice, SelectsWhatPythonDoesForAllSmallSlices) {
  std::vector<std::optional<int64_t>> bounds = {std::nullopt};
  for (int64_t bound = -7; bound <= 7; ++bound) bounds.push_back(bound);
  for (int64_t length = 0; length <= 5; ++length) {
    for (auto start : bounds) {
      for (auto stop : bounds) {
        for (int64_t step : {-7, -3, -2, -1, 1, 2, 3, 7}) {
          std::string text = absl::StrCat(Written(start), ":", Written(stop), ":", step);
          ASSERT_EQ(Sliced(text, length), Walked(start, stop, step, length)) << text << " of " << length;
        }
      }
    }
  }
}

// From Python: list(range(n))[slice].
TEST(ApplySlice, SelectsWhatPythonPrinted) {
  EXPECT_THAT(Sliced("1:4", 5), ElementsAre(1, 2, 3));
  EXPECT_THAT(Sliced("::2", 5), ElementsAre(0, 2, 4));
  EXPECT_THAT(Sliced("-1:", 5), ElementsAre(4));
  EXPECT_THAT(Sliced("::-2", 6), ElementsAre(5, 3, 1));
  EXPECT_THAT(Sliced("-2:-9:-1", 4), ElementsAre(2, 1, 0));
  EXPECT_THAT(Sliced("3:1", 5), IsEmpty());
  EXPECT_THAT(Sliced("-100:100:3", 7), ElementsAre(0, 3, 6));
  EXPECT_THAT(Sliced(":", 2), ElementsAre(0, 1));
}

TEST(ApplySlice, TakesNumbersBeyondAnySequence) {
  EXPECT_THAT(Sliced("-99999999999999999999999:99999999999999999999999", 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(Sliced("1::99999999999999999999999", 3), ElementsAre(1));
  EXPECT_THAT(Sliced("1::-99999999999999999999999", 3), ElementsAre(1));
}

TEST(ParseSlice, TakesOneNumberAsAnIndex) {
  EXPECT_THAT(Sliced("-1", 5), ElementsAre(4));
  EXPECT_THAT(Sliced("0", 5), ElementsAre(0));
}

TEST(ParseSlice, RefusesWhatIsNoSlice) {
  for (absl::string_view text : {"a", "1:2:3:4", "1 :2", "--1", "-", "1:x", "0x1", "1.5", ""}) {
    EXPECT_FALSE(ParseSlice(text).ok()) << text;
  }
  EXPECT_THAT(std::string(ParseSlice("::0").status().message()), HasSubstr("a step other than 0"));
  EXPECT_THAT(std::string(ParseSlice(std::string(65, '1')).status().message()), HasSubstr("65 bytes"));
}

TEST(SelectRows, AbsentPositionsAreAllRows) {
  Violations violations;
  std::vector<SelectedRows> rows = SelectRows(nullptr, "p", {3, kNoRun, 1}, &violations);
  EXPECT_THAT(Listed(rows[0]), ElementsAre(0, 1, 2));
  EXPECT_THAT(Listed(rows[1]), IsEmpty());
  EXPECT_THAT(Listed(rows[2]), ElementsAre(0));
  EXPECT_TRUE(violations.empty());
}

TEST(SelectRows, ListsCountFromTheEndOfEachRun) {
  Violations violations;
  EXPECT_THAT(Selected("at: [-1, 0, -1]", {3, 5}, &violations),
              ElementsAre(ElementsAre(2, 0, 2), ElementsAre(4, 0, 4)));
  EXPECT_TRUE(violations.empty());
}

TEST(SelectRows, NamesEachPositionThatTheShortestRunLacks) {
  Violations violations;
  Selected("at: [2, -3, -4, 3]", {9, 3, kNoRun}, &violations);
  EXPECT_THAT(Lines(violations), ElementsAre("p.at[2]: got -4, expected -3 to 2: the run has 3 tokens",
                                             "p.at[3]: got 3, expected -3 to 2: the run has 3 tokens"));
}

TEST(SelectRows, RefusesAnIndexThatTheShortestRunLacks) {
  Violations violations;
  Selected("slice: '4'", {9, 4}, &violations);
  EXPECT_THAT(Lines(violations), ElementsAre("p.slice: got 4, expected -4 to 3: the run has 4 tokens"));
}

TEST(SelectRows, TakesOneSelectionForEachRun) {
  Violations violations;
  EXPECT_THAT(
      Selected("per_input { at: 1 } per_input { at: 7 } per_input { slice: '::-1' }", {2, kNoRun, 3}, &violations),
      ElementsAre(ElementsAre(1), IsEmpty(), ElementsAre(2, 1, 0)));
  EXPECT_TRUE(violations.empty());
}

TEST(SelectRows, NamesWhatIsWrongWithASelectionOfOneRun) {
  Violations violations;
  Selected("per_input { at: 5 } per_input { per_input { at: 0 } } per_input {}", {2, 2, 2}, &violations);
  EXPECT_THAT(Lines(violations), ElementsAre("p.per_input[0].at[0]: got 5, expected -2 to 1: the run has 2 tokens",
                                             "p.per_input[1]: got per_input inside per_input, expected at or slice",
                                             "p.per_input[2]: got 0 of at, slice and per_input, expected exactly one"));
}

TEST(SelectRows, RefusesAnotherNumberOfSelectionsThanRuns) {
  Violations violations;
  Selected("per_input { at: 0 }", {2, 2}, &violations);
  EXPECT_THAT(Lines(violations), ElementsAre("p.per_input: got 1 selections, expected one for each of 2 runs"));
}

TEST(SelectRows, RefusesNoneOrSeveralWaysAtOnce) {
  Violations violations;
  Selected("", {2}, &violations);
  Selected("at: 0 slice: ':'", {2}, &violations);
  EXPECT_THAT(Lines(violations), ElementsAre("p: got 0 of at, slice and per_input, expected exactly one",
                                             "p: got 2 of at, slice and per_input, expected exactly one"));
}

}  // namespace
}  // namespace hydrophone
