#include "server/plan/edits/edits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/violation_lines.h"

namespace hydrophone {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Operation = Edit::Operation;

class ReadEditsTest : public ::testing::Test {
 protected:
  ReadEditsTest() {
    // Two inputs of four tokens and one of two.
    for (size_t length : {4u, 4u, 2u}) inputs_.emplace_back().token_ids.assign(length, 7);
  }

  absl::StatusOr<PlannedEdits> Read(const std::string& runs) {
    const auto request = Parse<v1::ExtractRequest>(runs);
    auto table = ReadRuns(request.runs(), inputs_, server_.limits, &violations_);
    EXPECT_TRUE(table.ok()) << table.status();
    return ReadEdits(request.runs(), inputs_, *table, server_.context(), &violations_);
  }

  PlannedEdits EditsOf(const std::string& runs) {
    absl::StatusOr<PlannedEdits> edits = Read(runs);
    EXPECT_TRUE(edits.ok()) << edits.status();
    EXPECT_THAT(Lines(violations_), IsEmpty());
    return edits.ok() ? *std::move(edits) : PlannedEdits();
  }

  // Of run 0's only edit, at all positions of the first MLP's output.
  Edit EditOf(const std::string& operation) {
    PlannedEdits planned =
        EditsOf(absl::StrCat("runs { interventions { hook_point: 'blocks.0.hook_mlp_out' positions { slice: ':' } ",
                             operation, " } } runs {}"));
    EXPECT_THAT(planned.edits, SizeIs(1));
    return planned.edits.empty() ? Edit() : planned.edits[0];
  }

  std::vector<std::string> Refusals(const std::string& runs) {
    absl::StatusOr<PlannedEdits> edits = Read(runs);
    EXPECT_TRUE(edits.ok()) << edits.status();
    return Lines(violations_);
  }

  FakeServer server_;
  std::vector<PlannedInput> inputs_;
  Violations violations_;
};

// An intervention at position 0 of a point in block 0.
std::string At(const std::string& hook, const std::string& rest) {
  return absl::StrCat("interventions { hook_point: 'blocks.0.", hook, "' positions { at: 0 } ", rest, " } ");
}

TEST_F(ReadEditsTest, WithoutInterventionsThereAreNone) {
  EXPECT_THAT(EditsOf("runs {} runs {}").edits, IsEmpty());
  EXPECT_THAT(EditsOf("").edits, IsEmpty());
}

TEST_F(ReadEditsTest, ReadsZero) {
  const Edit edit = EditOf("zero {}");
  EXPECT_EQ(edit.operation, Operation::kZero);
  EXPECT_EQ(edit.point, (HookPoint{Site::kMlpOut, 0}));
  EXPECT_THAT(edit.positions, ElementsAre(0, 1, 2, 3));
}

TEST_F(ReadEditsTest, ReadsScale) {
  const Edit edit = EditOf("scale: -0.5");
  EXPECT_EQ(edit.operation, Operation::kScale);
  EXPECT_EQ(edit.scale, -0.5f);
}

TEST_F(ReadEditsTest, ReadsAdd) {
  const Edit edit = EditOf("add { shape: [4, 1] floats: [1, 2, 3, 4] }");
  EXPECT_EQ(edit.operation, Operation::kAdd);
  EXPECT_THAT(*edit.values, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(edit.strides, ElementsAre(1, 0, 0));
}

TEST_F(ReadEditsTest, ReadsSet) {
  const Edit edit = EditOf("set { floats: 3 }");
  EXPECT_EQ(edit.operation, Operation::kSet);
  EXPECT_THAT(*edit.values, ElementsAre(3));
}

TEST_F(ReadEditsTest, ReadsProjectOut) {
  const Edit edit = EditOf("project_out { shape: 8 floats: [0, 0, 0, 0, 0, 0, 0, 2] }");
  EXPECT_EQ(edit.operation, Operation::kProjectOut);
  EXPECT_THAT(edit.strides, ElementsAre(0, 0, 1));
}

TEST_F(ReadEditsTest, ReadsPatch) {
  const Edit edit = EditOf("patch { run: 1 hook_point: 'hook_attn_out' }");
  EXPECT_EQ(edit.operation, Operation::kPatch);
  EXPECT_EQ(edit.source.run, 1u);
  EXPECT_EQ(edit.source.point, (HookPoint{Site::kAttnOut, 0}));
  EXPECT_THAT(edit.source.positions, ElementsAre(0, 1, 2, 3));
}

TEST_F(ReadEditsTest, ReadsPositionMean) { EXPECT_EQ(EditOf("position_mean {}").operation, Operation::kPositionMean); }

TEST_F(ReadEditsTest, MakesOneOfEachLayerThatShareTheirValues) {
  const PlannedEdits planned =
      EditsOf("runs { interventions { hook_point: 'blocks.*.hook_mlp_out' positions { at: 0 } set { floats: 1 } } }");
  ASSERT_THAT(planned.edits, SizeIs(3));
  EXPECT_EQ(planned.edits[2].point.layer, 2);
  EXPECT_EQ(planned.edits[0].values, planned.edits[2].values);
}

TEST_F(ReadEditsTest, EditsGoInTheOrderOfTheForwardPass) {
  const PlannedEdits planned = EditsOf("runs { " + At("hook_mlp_out", "zero {}") + At("hook_attn_out", "zero {}") +
                                       "} runs { " + At("hook_attn_out", "zero {}") + "}");
  ASSERT_THAT(planned.edits, SizeIs(3));
  EXPECT_EQ(planned.edits[0].point.site, Site::kAttnOut);
  EXPECT_EQ(planned.edits[0].run, 0u);
  EXPECT_EQ(planned.edits[1].run, 1u);
  EXPECT_EQ(planned.edits[2].point.site, Site::kMlpOut);
}

TEST_F(ReadEditsTest, AtOnePointTheyGoAsStated) {
  const PlannedEdits planned = EditsOf("runs { " + At("hook_mlp_out", "scale: 2") +
                                       At("hook_mlp_out", "add { floats: 1 }") + At("hook_mlp_out", "scale: 3") + "}");
  ASSERT_THAT(planned.edits, SizeIs(3));
  EXPECT_EQ(planned.edits[0].scale, 2);
  EXPECT_EQ(planned.edits[1].operation, Operation::kAdd);
  EXPECT_EQ(planned.edits[2].scale, 3);
}

TEST_F(ReadEditsTest, AtOnePointAPatchsSourceGoesFirst) {
  const PlannedEdits planned =
      EditsOf("runs { " + At("hook_mlp_out", "patch { run: 1 }") + "} runs { " + At("hook_mlp_out", "scale: 2") + "}");
  ASSERT_THAT(planned.edits, SizeIs(2));
  EXPECT_EQ(planned.edits[0].run, 1u);
  EXPECT_THAT(planned.run_order, ElementsAre(1, 0));
}

TEST_F(ReadEditsTest, RefusesAnEditWithoutAnOperation) {
  EXPECT_THAT(Refusals("runs { " + At("hook_mlp_out", "") + "}"),
              ElementsAre("runs[0].interventions[0]: got no operation, expected one of zero, scale, add, set, "
                          "project_out, patch and position_mean"));
}

TEST_F(ReadEditsTest, RefusesAScaleThatIsNotFinite) {
  EXPECT_THAT(Refusals("runs { " + At("hook_mlp_out", "scale: inf") + "}"),
              ElementsAre("runs[0].interventions[0].scale: got inf, expected a finite number"));
}

TEST_F(ReadEditsTest, NamesTheRunTheEditAndTheField) {
  EXPECT_THAT(Refusals("runs {} runs { input: 1 " + At("hook_mlp_out", "zero {}") +
                       "interventions { hook_point: 'hook_embed' positions { at: [0, 1, 9] } zero {} } }"),
              ElementsAre(StartsWith("runs[1].interventions[1].positions.at[2]: got 9, ")));
}

TEST_F(ReadEditsTest, NamesTheTensorThatIsWrong) {
  EXPECT_THAT(
      Refusals("runs { " + At("hook_mlp_out", "add { shape: 7 floats: [1, 2, 3, 4, 5, 6, 7] }") +
               At("hook_attn_out", "set { floats: nan }") + At("ln1.hook_out", "project_out { floats: 1 }") + "}"),
      ElementsAre(StartsWith("runs[0].interventions[0].add.shape: got [7], "),
                  StartsWith("runs[0].interventions[1].set.floats[0]: got nan, "),
                  StartsWith("runs[0].interventions[2].project_out.shape: got [], ")));
}

TEST_F(ReadEditsTest, NamesThePatchThatIsWrong) {
  EXPECT_THAT(Refusals("runs { " + At("hook_mlp_out", "patch { run: 7 }") + "}"),
              ElementsAre("runs[0].interventions[0].patch.run: got 7, expected an index below 1"));
}

TEST_F(ReadEditsTest, RefusesEditsThatContradictEachOther) {
  EXPECT_THAT(
      Refusals("runs { " + At("hook_mlp_out", "zero {}") + At("hook_mlp_out", "set { floats: 1 }") + "}"),
      ElementsAre("runs[0].interventions[1]: got an edit that sets elements which runs[0].interventions[0] sets "
                  "too; expected each element set once"));
}

TEST_F(ReadEditsTest, EditsThatBuildOnOneAnotherDoNotContradict) {
  EXPECT_THAT(EditsOf("runs { " + At("hook_mlp_out", "zero {}") + At("hook_mlp_out", "add { floats: 1 }") +
                      At("hook_mlp_out", "position_mean {}") + "}")
                  .edits,
              SizeIs(3));
}

TEST_F(ReadEditsTest, EditsOfDifferentRunsDoNotContradict) {
  EXPECT_THAT(
      EditsOf("runs { " + At("hook_mlp_out", "zero {}") + "} runs { " + At("hook_mlp_out", "zero {}") + "}").edits,
      SizeIs(2));
}

TEST_F(ReadEditsTest, RefusesPatchesInACircle) {
  EXPECT_THAT(
      Refusals("runs { " + At("hook_mlp_out", "patch { run: 1 }") + "} runs { " +
               At("hook_attn_out", "patch { run: 0 }") + "}"),
      ElementsAre("runs[0].interventions[0].patch: got patches in a circle, run 0 reads run 1, run 1 reads run 0; "
                  "expected runs that do not depend on themselves"));
}

TEST_F(ReadEditsTest, EditsOfSkippedInputsAreLeftOutWithThem) {
  inputs_[0] = {};
  inputs_[0].skipped = "bad";
  const PlannedEdits planned =
      EditsOf("runs { " + At("hook_mlp_out", "zero {}") + "} runs { input: 1 " + At("hook_attn_out", "zero {}") + "}");
  ASSERT_THAT(planned.edits, SizeIs(1));
  EXPECT_EQ(planned.edits[0].run, 0u);
  EXPECT_EQ(planned.edits[0].point.site, Site::kAttnOut);
}

TEST_F(ReadEditsTest, RefusesAPatchFromASkippedInput) {
  inputs_[0] = {};
  inputs_[0].skipped = "bad";
  EXPECT_THAT(
      Refusals("runs {} runs { input: 1 " + At("hook_mlp_out", "patch { run: 0 }") + "}"),
      ElementsAre("runs[1].interventions[0].patch.run: got 0, whose input was skipped, expected a run that is made"));
}

TEST_F(ReadEditsTest, SourcesAreNumberedAsTheRunsThatAreMade) {
  inputs_[0] = {};
  inputs_[0].skipped = "bad";
  const PlannedEdits planned =
      EditsOf("runs {} runs { input: 1 " + At("hook_mlp_out", "patch { run: 2 }") + "} runs { input: 1 }");
  ASSERT_THAT(planned.edits, SizeIs(1));
  EXPECT_EQ(planned.edits[0].source.run, 1u);
}

TEST_F(ReadEditsTest, RefusesMoreEditsThanTheLimit) {
  server_.limits.max_tensors_per_request = 2;
  absl::Status status =
      Read("runs { interventions { hook_point: 'blocks.*.hook_mlp_out' positions { at: 0 } zero {} } }").status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre("runs: needs 3 edits, one a layer, the limit is 2"));
}

TEST_F(ReadEditsTest, RefusesMoreInterventionsOfOneRunThanAreCompared) {
  std::string interventions;
  for (int i = 0; i <= kMaxInterventions; ++i) interventions += "interventions {} ";
  absl::Status status = Read("runs { " + interventions + "}").status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status),
              ElementsAre("runs[0].interventions: needs 1025 interventions of one run, the limit is 1024"));
}

TEST_F(ReadEditsTest, RefusesListsThatTakeTooMuchMemory) {
  inputs_[0].token_ids.assign(10'000, 7);
  const std::string all = "interventions { hook_point: 'blocks.*.hook_mlp_out' positions { slice: ':' } scale: 1 } ";
  std::string interventions;
  for (int i = 0; i < 150; ++i) interventions += all;
  absl::Status status = Read("runs { " + interventions + "}").status();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_THAT(Lines(status), ElementsAre(HasSubstr("runs: needs 4500000 positions, heads and features of all edits")));
}

}  // namespace
}  // namespace hydrophone
