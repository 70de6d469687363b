#include "client/cpp/cli/request_kinds.h"

#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

v1::ExtractRequest OneHook() {
  v1::ExtractRequest request;
  request.add_hooks()->set_hook_point("hook_embed");
  return request;
}

TEST(RequestKinds, BytesAreTheDefault) {
  EXPECT_TRUE(SendsBytes(OneHook()));
  EXPECT_FALSE(SendsValues(OneHook()));
  v1::ExtractRequest short_form;
  short_form.add_hook_points("hook_embed");
  EXPECT_TRUE(SendsBytes(short_form));
}

TEST(RequestKinds, ASelectorsViewComesBeforeTheRequests) {
  v1::ExtractRequest request = OneHook();
  request.set_view(v1::VIEW_PREVIEW);
  EXPECT_FALSE(SendsBytes(request));
  EXPECT_TRUE(SendsValues(request));
  request.mutable_hooks(0)->set_view(v1::VIEW_BYTES);
  EXPECT_TRUE(SendsBytes(request));
  EXPECT_FALSE(SendsValues(request));
}

TEST(RequestKinds, ALogitLensAndMetricsAreValues) {
  v1::ExtractRequest lens = OneHook();
  lens.mutable_hooks(0)->mutable_logit_lens()->set_top_k(1);
  EXPECT_FALSE(SendsBytes(lens));
  EXPECT_TRUE(SendsValues(lens));
  lens.mutable_hooks(0)->mutable_logit_lens()->set_logits(true);
  EXPECT_TRUE(SendsBytes(lens));
  EXPECT_FALSE(SendsValues(lens));
  v1::ExtractRequest metric;
  metric.add_metrics()->mutable_next_token_loss();
  EXPECT_FALSE(SendsBytes(metric));
  EXPECT_TRUE(SendsValues(metric));
}

TEST(RequestKinds, ComparedRunsAreValuesAndOthersBytes) {
  v1::ExtractRequest request = OneHook();
  request.add_runs();
  request.add_runs()->set_baseline(0);
  EXPECT_TRUE(SendsBytes(request));
  EXPECT_TRUE(SendsValues(request));
  request.mutable_hooks(0)->add_runs(1);
  EXPECT_FALSE(SendsBytes(request));
  request.mutable_hooks(0)->set_runs(0, 0);
  EXPECT_FALSE(SendsValues(request));
  EXPECT_TRUE(SendsBytes(request));
}

TEST(RequestKinds, Bfloat16CountsWhereItIsSent) {
  v1::ExtractRequest request = OneHook();
  request.set_dtype(v1::DTYPE_BFLOAT16);
  EXPECT_TRUE(SendsBfloat16(request));
  request.set_view(v1::VIEW_SUMMARY);
  EXPECT_FALSE(SendsBfloat16(request)) << "a summary holds no bytes";
  request.set_view(v1::VIEW_BYTES);
  request.mutable_hooks(0)->set_dtype(v1::DTYPE_FLOAT16);
  EXPECT_FALSE(SendsBfloat16(request));
}

}  // namespace
}  // namespace hydrophone::client
