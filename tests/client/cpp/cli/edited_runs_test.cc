#include "client/cpp/cli/edited_runs.h"

#include "client/cpp/request_parts.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

GivenInput Text(const std::string& text) {
  GivenInput given{{}, QuotedWords(text)};
  given.input.set_text(text);
  return given;
}

absl::StatusOr<MadeRuns> AddRuns(const EditedInputs& what, v1::ExtractRequest* request) {
  RequestWords words;
  return AddEditedRuns(what, request, &words);
}

EditedInputs Two(const std::string& edit) {
  EditedInputs what;
  what.inputs = {Text("a"), Text("b")};
  what.edits = {ParseEdit(edit).value()};
  return what;
}

std::vector<std::string> Keys(const v1::ExtractRequest& request) {
  std::vector<std::string> keys;
  for (const v1::Run& run : request.runs()) keys.push_back(run.key());
  return keys;
}

TEST(AddEditedRuns, MakesACleanAndAnEditedRunOfEachInput) {
  v1::ExtractRequest request;
  const auto made = AddRuns(Two("hook_embed zero"), &request);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(Keys(request), ElementsAre("clean", "edited", "clean", "edited"));
  EXPECT_THAT(made->clean, ElementsAre(0, 2));
  EXPECT_THAT(made->edited, ElementsAre(1, 3));
  EXPECT_EQ(request.runs(3).input(), 1u);
  EXPECT_EQ(request.runs(3).baseline(), 2u);
  EXPECT_TRUE(request.runs(3).interventions(0).has_zero());
  EXPECT_EQ(request.inputs(1).key(), "");
}

TEST(AddEditedRuns, WithoutABaselineNothingIsCompared) {
  v1::ExtractRequest request;
  EditedInputs what = Two("hook_embed zero");
  what.baseline = false;
  ASSERT_TRUE(AddRuns(what, &request).ok());
  EXPECT_FALSE(request.runs(1).has_baseline());
}

TEST(AddEditedRuns, WithoutCleanRunsThereAreTheEditedOnes) {
  v1::ExtractRequest request;
  EditedInputs what = Two("hook_embed zero");
  what.clean = what.baseline = false;
  const auto made = AddRuns(what, &request);
  EXPECT_THAT(Keys(request), ElementsAre("edited", "edited"));
  EXPECT_THAT(made->clean, IsEmpty());
}

TEST(AddEditedRuns, APatchFromTheCleanRunNeedsOne) {
  v1::ExtractRequest request;
  EditedInputs what = Two("hook_embed patch=clean");
  what.clean = what.baseline = false;
  const auto made = AddRuns(what, &request);
  EXPECT_THAT(Keys(request), ElementsAre("clean", "edited", "clean", "edited"));
  EXPECT_EQ(request.runs(3).interventions(0).patch().run(), 2u);
  EXPECT_THAT(made->clean, IsEmpty()) << "nobody asked to see it";
}

TEST(AddEditedRuns, TheSourceStandsBesideItsInput) {
  v1::ExtractRequest request;
  EditedInputs what = Two("hook_embed patch=source:-1");
  what.inputs[1].input.set_key("mine");
  what.sources = {Text("s")};
  ASSERT_TRUE(AddRuns(what, &request).ok());
  EXPECT_THAT(Keys(request), ElementsAre("clean", "source", "edited", "clean", "source", "edited"));
  EXPECT_EQ(request.inputs(3).text(), "s");
  EXPECT_EQ(request.inputs(0).key(), "0");
  EXPECT_EQ(request.inputs(3).key(), "mine.source");
  EXPECT_EQ(request.runs(5).interventions(0).patch().run(), 4u);
  EXPECT_EQ(SmallestParts(request).size(), 2u) << "it can be cut between the inputs";
}

TEST(AddEditedRuns, EachInputMayHaveItsOwnSource) {
  v1::ExtractRequest request;
  EditedInputs what = Two("hook_embed patch=source");
  what.sources = {Text("s"), Text("t")};
  ASSERT_TRUE(AddRuns(what, &request).ok());
  EXPECT_EQ(request.inputs(1).text(), "s");
  EXPECT_EQ(request.inputs(3).text(), "t");
}

TEST(AddEditedRuns, SourcesAndPatchesGoTogether) {
  v1::ExtractRequest request;
  EditedInputs what = Two("hook_embed patch=source");
  EXPECT_THAT(std::string(AddRuns(what, &request).status().message()), HasSubstr("needs --patch-from"));
  what.sources.resize(3);
  EXPECT_THAT(std::string(AddRuns(what, &request).status().message()), HasSubstr("got 3 texts for 2 inputs"));
  what = Two("hook_embed zero");
  what.sources = {Text("s")};
  EXPECT_THAT(std::string(AddRuns(what, &request).status().message()), HasSubstr("patch=source"));
}

}  // namespace
}  // namespace hydrophone::client
