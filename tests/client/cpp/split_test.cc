#include "client/cpp/split.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

InputCost Tokens(uint64_t tokens) { return {.tokens = tokens, .bytes = 1, .elements = 1}; }

TEST(SplitInputs, NothingNeedsNoRequest) { EXPECT_THAT(SplitInputs({}, {}), IsEmpty()); }

TEST(SplitInputs, WithoutLimitsOneRequestIsEnough) {
  EXPECT_THAT(SplitInputs({Tokens(5), Tokens(7)}, {}), ElementsAre(InputRange{0, 2}));
}

TEST(SplitInputs, EachLimitSplits) {
  const std::vector<InputCost> costs(5, InputCost{.tokens = 10, .bytes = 100, .elements = 3});
  const auto expected = ElementsAre(InputRange{0, 2}, InputRange{2, 2}, InputRange{4, 1});
  EXPECT_THAT(SplitInputs(costs, {.inputs = 2}), expected);
  EXPECT_THAT(SplitInputs(costs, {.tokens = 29}), expected);
  EXPECT_THAT(SplitInputs(costs, {.bytes = 299}), expected);
  EXPECT_THAT(SplitInputs(costs, {.elements = 8}), expected);
}

TEST(SplitInputs, ALimitIsReachedBeforeItIsPassed) {
  EXPECT_THAT(SplitInputs({Tokens(4), Tokens(6), Tokens(1)}, {.tokens = 10}),
              ElementsAre(InputRange{0, 2}, InputRange{2, 1}));
}

TEST(SplitInputs, AnInputThatIsTooLongGoesAlone) {
  EXPECT_THAT(SplitInputs({Tokens(1), Tokens(99), Tokens(1)}, {.tokens = 10}),
              ElementsAre(InputRange{0, 1}, InputRange{1, 1}, InputRange{2, 1}));
}

TEST(SplitInputs, TheRequestsOwnBytesAreTakenOff) {
  v1::Limits limits;
  limits.set_max_request_bytes(1000);
  limits.set_max_request_elements(500);
  EXPECT_EQ(CapacityOf(limits, 200).bytes, 800u);
  EXPECT_EQ(CapacityOf(limits, 200).elements, 300u);
  EXPECT_EQ(CapacityOf(limits, 5000).bytes, 1u) << "0 would mean that there is no limit";
}

TEST(MostTokens, IsABoundThatNeedsNoTokenizer) {
  v1::Input input;
  input.set_text("hello");
  input.set_prepend_bos(true);
  EXPECT_EQ(MostTokens(input, 1024), 6u);
  EXPECT_EQ(MostTokens(input, 4), 6u) << "too long, and for the server to refuse";
  input.set_truncate(true);
  EXPECT_EQ(MostTokens(input, 4), 4u);
}

}  // namespace
}  // namespace hydrophone::client
