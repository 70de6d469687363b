#include "client/cpp/cli/display/value_tables.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;

class ValueTablesTest : public ::testing::Test {
 protected:
  ValueTablesTest() {
    request_.add_inputs()->set_key("mine");
    values_.mutable_info()->set_name("blocks.3.hook_z");
    values_.mutable_info()->add_runs(0);
    values_.mutable_info()->add_shape(2);
  }

  // What is printed of the values.
  std::string Print() const {
    const RunNames names(request_);
    ValueTables tables(request_, names);
    v1::InputInfo input;
    for (const char* piece : {"Hi", "!", "Ġyou"}) input.add_pieces(piece);
    tables.AddInput(input);
    EXPECT_TRUE(tables.Add(values_));
    std::ostringstream out;
    tables.Print({}, out);
    return out.str();
  }

  v1::ExtractRequest request_;
  v1::Values values_;
};

TEST_F(ValueTablesTest, PreviewsAreNotForTables) {
  const RunNames names(request_);
  ValueTables tables(request_, names);
  values_.set_preview("[1 2]");
  EXPECT_FALSE(tables.Add(values_));
  std::ostringstream out;
  tables.Print({}, out);
  EXPECT_EQ(out.str(), "");
}

TEST_F(ValueTablesTest, ASummaryHasTheColumnsThatWereAskedFor) {
  v1::SummaryOptions* asked = request_.add_hooks()->mutable_summary();
  asked->set_threshold(30);
  asked->add_quantiles(0.5F);
  v1::Summary* summary = values_.mutable_summary();
  summary->set_mean(0.25);
  summary->set_share_above(0.125);
  summary->add_quantiles(0.75);
  EXPECT_EQ(Print(),
            "\n"
            "point            input  shape  mean  std  min  max  l2  nonfinite  |x| > 30  q 0.5\n"
            "blocks.3.hook_z  mine   [2]    0.25    0    0    0   0          0     0.125   0.75\n");
}

TEST_F(ValueTablesTest, TheLargestValuesAreATableWithTheirPlaces) {
  v1::Extreme* extreme = values_.mutable_summary()->add_top();
  extreme->set_value(-7.5F);
  for (const uint32_t index : {5U, 138U}) extreme->add_index(index);
  EXPECT_THAT(Print(), HasSubstr("largest magnitudes  input  value  at\n"
                                 "blocks.3.hook_z     mine    -7.5  [5, 138]\n"));
}

TEST_F(ValueTablesTest, AComparisonNamesTheRun) {
  request_.add_runs()->set_key("edited");
  v1::Comparison* comparison = values_.mutable_comparison();
  comparison->set_difference_l2(1.5);
  comparison->set_difference_max(1);
  comparison->set_run_l2(3);
  comparison->set_baseline_l2(2);
  comparison->set_cosine(0.75);
  comparison->set_pearson_r(0.5);
  EXPECT_EQ(Print(),
            "\n"
            "point            input  run     difference  largest  norm  baseline    cosine  pearson r  nonfinite\n"
            "blocks.3.hook_z  mine   edited         1.5        1     3         2  0.750000   0.500000          0\n");
}

TEST_F(ValueTablesTest, ALogitLensIsAGrid) {
  request_.add_hooks()->mutable_logit_lens()->set_top_k(1);
  v1::Score* score = values_.add_scores();
  score->set_position(4);
  score->set_piece("ĠParis");
  score->set_logprob(-0.25F);
  EXPECT_EQ(Print(),
            "\n"
            "logit lens of input mine, position 4: probabilities\n"
            "point            1.\n"
            "blocks.3.hook_z  ` Paris` 0.779\n");
}

TEST_F(ValueTablesTest, ALensesNumbersStandInOneRowForEachPosition) {
  request_.add_hooks();
  for (const uint32_t position : {4U, 7U}) {
    values_.add_scores()->set_position(position);  // a token
    for (const char* number : {"entropy", "final_divergence"}) {
      v1::Score* score = values_.add_scores();
      score->set_position(position);
      score->set_metric(number);
      score->set_value(static_cast<float>(position) + (number[0] == 'e' ? 0.5F : 0.25F));
    }
  }
  EXPECT_THAT(Print(), HasSubstr("point            input  position  token  entropy  KL(final || lens)\n"
                                 "blocks.3.hook_z  mine          4             4.5               4.25\n"
                                 "blocks.3.hook_z  mine          7             7.5               7.25\n"));
}

TEST_F(ValueTablesTest, AMetricShowsItsKey) {
  request_.add_metrics()->set_key("loss");
  v1::Score* score = values_.add_scores();
  score->set_metric("loss");
  score->set_position(2);
  score->set_value(3.25F);
  EXPECT_EQ(Print(),
            "\n"
            "metric  input  position  token   value\n"
            "loss    mine          2  ` you`   3.25\n");
}

TEST_F(ValueTablesTest, BytesAreToldWithTheirType) {
  const RunNames names(request_);
  ValueTables tables(request_, names);
  ReceivedTensor tensor{values_.info(), *TensorBytes::CopyOf("abcd")};
  tensor.info.set_dtype(v1::DTYPE_FLOAT16);
  tables.Add(tensor);
  std::ostringstream out;
  tables.Print({}, out);
  EXPECT_THAT(out.str(), HasSubstr("blocks.3.hook_z  mine   [2]    float16      4\n"));
}

TEST(RunNames, InputsAndRunsGoByKeyOrNumber) {
  v1::ExtractRequest request;
  request.add_texts("a");
  request.add_inputs()->set_key("b");
  const RunNames inputs(request);
  EXPECT_FALSE(inputs.has_runs());
  EXPECT_EQ(inputs.InputOf(0), "0");
  EXPECT_EQ(inputs.InputOf(1), "b");
  EXPECT_EQ(inputs.Run(1), "");
  request.add_runs()->set_input(1);
  request.add_runs()->set_key("edited");
  const RunNames runs(request);
  EXPECT_EQ(runs.InputOf(0), "b");
  EXPECT_EQ(runs.Run(0), "0");
  EXPECT_EQ(runs.Run(1), "edited");
}

TEST(RunNames, ATensorOfSeveralRunsHasEmptyCells) {
  v1::ExtractRequest request;
  request.add_runs();
  v1::TensorInfo info;
  for (const uint32_t run : {0U, 1U}) info.add_runs(run);
  std::vector<std::string> row;
  RunNames(request).AddCells(info, &row);
  EXPECT_THAT(row, ::testing::ElementsAre("", ""));
}

}  // namespace
}  // namespace hydrophone::client
