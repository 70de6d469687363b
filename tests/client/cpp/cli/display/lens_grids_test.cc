#include "client/cpp/cli/display/lens_grids.h"

#include <cmath>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LensGridsTest : public ::testing::Test {
 protected:
  LensGridsTest() { request_.add_inputs(); }

  // The selectors' lenses: `top_k` tokens each.
  void AskFor(int selectors, uint32_t top_k) {
    for (int i = 0; i < selectors; ++i) request_.add_hooks()->mutable_logit_lens()->set_top_k(top_k);
  }

  struct Said {
    const char* point;
    uint32_t position;
    const char* piece;
    double probability;
    uint32_t rank;
    uint32_t selector = 0;
  };

  std::string Print(const std::vector<Said>& all, const Style& style = {}) const {
    const RunNames names(request_);
    InputTokens tokens(request_);
    v1::InputInfo input;
    for (const char* piece : {"Hi", "Ġyou"}) input.add_pieces(piece);
    tokens.Add(input);
    LensGrids grids(request_, names, tokens);
    for (const Said& said : all) {
      v1::TensorInfo info;
      info.set_name(said.point);
      info.set_selector(said.selector);
      v1::Score score;
      score.set_position(said.position);
      score.set_piece(said.piece);
      score.set_token_id(7);
      score.set_logprob(static_cast<float>(std::log(said.probability)));
      score.set_rank(said.rank);
      grids.Add(info, score);
    }
    std::ostringstream out;
    grids.Print(style, out);
    return out.str();
  }

  v1::ExtractRequest request_;
};

TEST_F(LensGridsTest, ARowIsAPointAndAColumnARank) {
  AskFor(2, 2);
  EXPECT_EQ(Print({{"blocks.0", 1, "Ġa", 0.5, 0},
                   {"blocks.0", 1, "", 0.25, 1},
                   {"logits", 1, "Ċ", 0.125, 0, 1},
                   {"logits", 1, "Ġa", 0.1, 1, 1}}),
            "\n"
            "logit lens of input 0, position 1, after ` you`: probabilities\n"
            "point            1.          2.\n"
            "blocks.0         ` a` 0.500  #7 0.250\n"
            "output (logits)  `\\n` 0.125  ` a` 0.100\n");
}

TEST_F(LensGridsTest, GivenTokensHaveTheirRankBeside) {
  AskFor(1, 1);
  EXPECT_THAT(Print({{"blocks.0", 0, "Ġa", 0.5, 0}, {"blocks.0", 0, "ĠParis", 0.00004, 41}}),
              HasSubstr("point     1.          ` Paris`\n"
                        "blocks.0  ` a` 0.500  4e-05 (42.)\n"));
}

TEST_F(LensGridsTest, RanksThatDoNotFitAreTold) {
  AskFor(1, 3);
  const std::string grid =
      Print({{"b", 0, "one", 0.5, 0}, {"b", 0, "two", 0.2, 1}, {"b", 0, "three", 0.1, 2}}, {false, 31});
  EXPECT_THAT(grid, HasSubstr("b      `one` 0.500  `two` 0.200\nranks 3 to 3 do not fit"));
  EXPECT_THAT(grid, Not(HasSubstr("three")));
}

TEST_F(LensGridsTest, OneRankOverPositionsIsAGridOfPointsAndPositions) {
  AskFor(2, 1);
  const std::vector<Said> all = {
      {"b0", 0, "x", 0.1, 0}, {"b0", 1, "日", 0.1, 0}, {"b1", 0, "y", 0.1, 0, 1}, {"b1", 1, "zzz", 0.1, 0, 1}};
  EXPECT_EQ(Print(all),
            "\n"
            "logit lens of input 0: the likeliest next token\n"
            "point  0 `Hi`  1 ` you`\n"
            "b0     `x`     `日`\n"
            "b1     `y`     `zzz`\n");
  EXPECT_THAT(Print(all, {false, 16}), HasSubstr("b1     `y`\n\npoint  1 ` you`\n")) << "positions go on below";
}

TEST_F(LensGridsTest, ProbabilitiesAreShadedInColour) {
  AskFor(1, 1);
  EXPECT_THAT(Print({{"b", 0, "x", 0.9, 0}}, {true, 80}), HasSubstr("\x1b[30;48;5;84m`x` 0.900\x1b[0m\n"));
}

TEST_F(LensGridsTest, RunsAreApart) {
  request_.add_runs()->set_key("clean");
  AskFor(1, 1);
  EXPECT_THAT(Print({{"b", 0, "x", 0.9, 0}}), HasSubstr("logit lens of input 0, run clean, position 0, after `Hi`"));
}

}  // namespace
}  // namespace hydrophone::client
