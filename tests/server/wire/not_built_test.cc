#include "server/wire/not_built.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/wire/fakes.h"

namespace hydrophone {
namespace {

TEST(CheckBuilt, NamesEachFieldThatIsNotBuilt) {
  std::vector<std::pair<std::string, std::string>> cases = {
      {"max_new_tokens: 1", "max_new_tokens"},
  };
  for (const auto& [text, field] : cases) {
    absl::Status status = CheckBuilt(Parse<v1::ExtractRequest>(text));
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << text;
    EXPECT_EQ(ReasonOf(status), "NOT_BUILT") << text;
    ASSERT_EQ(ViolationsOf(status).size(), 1u) << text;
    EXPECT_EQ(ViolationsOf(status)[0].field, field);
  }
}

TEST(CheckBuilt, TakesWhatIsBuilt) {
  EXPECT_TRUE(
      CheckBuilt(
          Parse<v1::ExtractRequest>(
              "model: 'm' texts: 't' inputs { text: 'x' prepend_bos: true truncate: true } "
              "hook_points: 'h' hooks { hook_point: 'h' layers: 1 positions { at: 0 } runs: 0 "
              "view: VIEW_SUMMARY dtype: DTYPE_FLOAT16 summary { top_k: 1 } units { heads: 0 } project {} "
              "reduction: REDUCTION_MAX } metrics { next_token_loss {} } runs { input: 0 } "
              "view: VIEW_FLOATS dtype: DTYPE_BFLOAT16 layout: LAYOUT_ROWS validate_only: true "
              "skip_bad_inputs: true numerics: 'n' max_response_bytes: 1"))
          .ok());
}

}  // namespace
}  // namespace hydrophone
