#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/client/cpp/cli/command_line_fixture.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ExtractCommandTest : public CommandLineTest {};

TEST_F(ExtractCommandTest, AnEditShowsItsComparison) {
  const Result result = Run({"extract", "--edit", "mlp.c_proj@0 zero", "--hook", "attn.c_proj@1", "abc"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("blocks.1.attn.c_proj      0  edited         1.5"));
  EXPECT_THAT(result.out, HasSubstr("0.750000"));
}

TEST_F(ExtractCommandTest, ALogitLensIsAGridThatEndsWithTheOutput) {
  const Result result = Run({"extract", "--top-k", "2", "--layers", "1", "abc"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("point                     1.              2.\n"
                                    "blocks.1.hook_resid_post  `piece0` 0.607"));
  EXPECT_THAT(result.out, HasSubstr("`piece1`"));
  ASSERT_THAT(service_.requests(), SizeIs(1));
  EXPECT_EQ(service_.requests()[0].hooks(1).hook_point(), "logits");
  EXPECT_THAT(service_.requests()[0].hooks(1).layers(), IsEmpty());
}

TEST_F(ExtractCommandTest, TokensAreAskedOfTheServer) {
  EXPECT_EQ(Run({"extract", "--tokens", " a,7", "abc"}).status, 0);
  ASSERT_THAT(service_.requests(), SizeIs(1));
  EXPECT_THAT(service_.requests()[0].hooks(0).logit_lens().token_ids(), ElementsAre(' ', 7));
  const Result refused = Run({"extract", "--tokens", " Paris", "abc"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.err, "hydrophone: \" Paris\" is 3 tokens (`p32` `p97` `p105`), expected one\n");
}

TEST_F(ExtractCommandTest, MetricsAreATable) {
  const Result result = Run({"extract", "--metric", "loss", "abc"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("metric  input  position  token  value\nloss        0         2"));
}

TEST_F(ExtractCommandTest, AContinuationIsPrinted) {
  const Result result = Run({"extract", "--max-new-tokens", "2", "ab\"d"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(service_.requests()[0].max_new_tokens(), 2u);
  EXPECT_THAT(result.out, StartsWith("input 0 goes on: `\"d` (2 tokens)\n\n"))
      << "the fake tokenizer makes two tokens of the four that come back";
}

TEST_F(ExtractCommandTest, JsonLinesAreTheMessages) {
  const Result result = Run({"extract", "--json", "--edit", "mlp.c_proj@0 zero", "--metric", "loss", "abc"});
  EXPECT_EQ(result.status, 0) << result.err;
  std::vector<nlohmann::json> lines;
  for (const auto line : absl::StrSplit(result.out, '\n', absl::SkipEmpty())) {
    lines.push_back(nlohmann::json::parse(std::string(line)));
  }
  ASSERT_THAT(lines, SizeIs(5)) << "header, input, two scores, trailer";
  EXPECT_EQ(lines[0]["header"]["tensors"], 2);
  EXPECT_EQ(lines[1]["input"]["index"], 0);
  EXPECT_EQ(lines[3]["values"]["scores"][0]["run"], 1);
  EXPECT_EQ(lines[3]["values"]["scores"][0]["metric"], "loss");
}

TEST_F(ExtractCommandTest, JsonHasNoPlaceForBytes) {
  const Result result = Run({"extract", "--json", "--view", "bytes", "--hook", "attn.c_proj", "abc"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("--json shows no bytes"));
  EXPECT_THAT(service_.requests(), IsEmpty());
}

TEST_F(ExtractCommandTest, AFileTakesTensorsAlone) {
  const Result result = Run({"extract", "--edit", "hook_embed zero", "--out", directory_ / "x.safetensors", "abc"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("--out takes tensors as bytes"));
  EXPECT_THAT(service_.requests(), IsEmpty());
}

TEST_F(ExtractCommandTest, EditedTensorsAreWrittenByRun) {
  const Result result = Run({"extract", "--edit", "hook_embed patch=clean", "--no-baseline", "--hook", "attn.c_proj@0",
                             "--layout", "per-run", "--out", directory_ / "x", "abc"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(std::filesystem::exists(directory_ / "x/blocks.0.attn.c_proj.run1.npy"));
}

TEST_F(ExtractCommandTest, ThePrintedRequestIsNotSentAndIsReadBack) {
  const Result printed = Run({"extract", "--hook", "attn.c_proj@1", "--positions", "last", "--print-request", "abc"});
  EXPECT_EQ(printed.status, 0) << printed.err;
  EXPECT_THAT(service_.requests(), IsEmpty());
  const Result result = Run({"extract", "--request", "-"}, printed.out);
  EXPECT_EQ(result.status, 0) << result.err;
  ASSERT_THAT(service_.requests(), SizeIs(1));
  EXPECT_EQ(service_.requests()[0].hooks(0).hook_point(), "attn.c_proj");
  EXPECT_THAT(result.out, HasSubstr("blocks.1.attn.c_proj of input 0, shape [1, 3]"));
}

TEST_F(ExtractCommandTest, ARequestFileMayGoToAFile) {
  WriteFile(directory_ / "r.json",
            R"({"texts": ["ab", "c"], "hook_points": ["attn.c_proj"], "layout": "LAYOUT_ROWS"})");
  const Result result = Run({"extract", "--request", directory_ / "r.json", "--out", directory_ / "x"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(std::filesystem::exists(directory_ / "x/rows.npy"));
}

TEST_F(ExtractCommandTest, ARequestFileStandsAlone) {
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"text"}, {"--hook", "x"}, {"--train-seed", "1"}, {"--no-baseline", "--edit", "x"}}) {
    std::vector<std::string> arguments = {"extract", "--request", "r.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result result = Run(arguments);
    EXPECT_EQ(result.status, 2) << more[0];
    EXPECT_THAT(result.err, HasSubstr("--request excludes")) << more[0];
  }
  const Result unknown = Run({"extract", "--request", "-"}, R"({"hook": "x"})");
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("not an ExtractRequest"));
}

TEST_F(ExtractCommandTest, OfManyInputsTheFirstAreListed) {
  const std::vector<std::string> few = {"extract", "--hook", "attn.c_proj@0", "a", "b", "c", "d", "e", "f", "g"};
  const Result result = Run(few);
  EXPECT_THAT(result.out, HasSubstr("input 4: 1 tokens\n... and 2 more inputs; --all lists them\n\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("input 5: ")));
  std::vector<std::string> all = few;
  all.emplace_back("--all");
  EXPECT_THAT(Run(all).out, HasSubstr("input 6: 1 tokens\n\n"));
}

TEST_F(ExtractCommandTest, BadUsageIsOneClearLine) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--top-k", "0"}, "--top-k: got \"0\", expected a whole number from 1"},
      {{"--train-seed", "-1", "--hook", "x"}, "--train-seed: got \"-1\", expected a whole number from 0"},
      {{"--max-new-tokens", "1", "--train-seed", "1"}, "--train-seed excludes --max-new-tokens"},
      {{"--top-k", "1", "--project", "x.npy"}, "--project excludes --top-k"},
      {{"--no-baseline", "--hook", "x"}, "--no-baseline requires --edit"},
      {{"--force", "--hook", "x"}, "--force requires --out"},
      {{"--all", "--hook", "x", "--out", "x"}, "--all excludes --out"},
      {{"--reduce", "sum", "--hook", "x"}, "--reduce: sum not in {mean,max}"},
      {{"--edit", "hook_embed burn"}, "hydrophone: --edit \"hook_embed burn\": got \"burn\", expected zero"},
      {{"--metric", "accuracy"}, "hydrophone: --metric \"accuracy\": expected logit-diff"},
  };
  for (const auto& [more, line] : cases) {
    std::vector<std::string> arguments = {"extract"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.push_back("text");
    const Result result = Run(arguments);
    EXPECT_EQ(result.status, 2) << line;
    EXPECT_EQ(result.err.rfind(line, 0), 0u) << result.err;
  }
  EXPECT_THAT(service_.requests(), IsEmpty());
}

}  // namespace
}  // namespace hydrophone::client
