#include "server/answer/model_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "server/core/hook_points.h"
#include "tests/fakes/fake_server.h"

namespace hydrophone {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

// The fields that are not at their default, by name.
size_t FieldsSet(const google::protobuf::Message& message) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields.size();
}

TEST(DescribeModel, TellsEverything) {
  FakeServer server;
  server.compute.batch_independent = true;
  v1::GetModelResponse response =
      DescribeModel(server.model, server.tokenizer, server.compute, server.limits, {"0.1.0", "1.51.1"});
  EXPECT_EQ(response.model().name(), "fake-gpt2");
  EXPECT_EQ(response.model().n_inner(), 20u);
  EXPECT_EQ(response.compute().numerics(), "fake-numerics");
  EXPECT_EQ(response.compute().instruction_set(), "fake instructions");
  EXPECT_EQ(response.limits().max_tensors_per_request(), server.limits.max_tensors_per_request);
  EXPECT_EQ(response.versions().server(), "0.1.0");
  EXPECT_EQ(response.versions().libtorch(), "2.13.0");
  EXPECT_EQ(response.versions().grpc(), "1.51.1");
  // Every field, but `processing`, which is always empty.
  EXPECT_EQ(FieldsSet(response.model()), static_cast<size_t>(v1::ModelInfo::descriptor()->field_count() - 1));
  EXPECT_EQ(FieldsSet(response.compute()), static_cast<size_t>(v1::ComputeInfo::descriptor()->field_count()));
  EXPECT_EQ(FieldsSet(response.limits()), static_cast<size_t>(v1::Limits::descriptor()->field_count()));
  EXPECT_EQ(FieldsSet(response.versions()), static_cast<size_t>(v1::Versions::descriptor()->field_count()));
}

TEST(DescribeModel, SaysWhatTheTokenizerPutsAroundATextOrThatThereIsNone) {
  FakeServer server;
  server.tokenizer.before = {7};
  server.tokenizer.after = {8, 9};
  const auto describe = [&](const Tokenizer& tokenizer) {
    return DescribeModel(server.model, tokenizer, server.compute, server.limits, {}).model();
  };
  const v1::TokenizerInfo tokenizer = describe(server.tokenizer).tokenizer();
  EXPECT_EQ(tokenizer.tokens(), 257);
  EXPECT_EQ(tokenizer.bos_token_id(), 256);
  EXPECT_THAT(tokenizer.ids_before_text(), ElementsAre(7));
  EXPECT_THAT(tokenizer.ids_after_text(), ElementsAre(8, 9));
  server.tokenizer.bos = std::nullopt;
  EXPECT_FALSE(describe(server.tokenizer).tokenizer().has_bos_token_id());
  EXPECT_FALSE(describe(NoTokenizer()).has_tokenizer());
}

v1::HookPoint Point(const std::string& name) {
  v1::ListHookPointsResponse response = DescribeHookPoints(FakeServer().model);
  for (const v1::HookPoint& point : response.hook_points()) {
    if (point.name() == name) return point;
  }
  ADD_FAILURE() << "no point is called " << name;
  return {};
}

TEST(DescribeHookPoints, ListsEveryPoint) {
  v1::ListHookPointsResponse response = DescribeHookPoints(FakeServer().model);
  EXPECT_EQ(static_cast<size_t>(response.hook_points_size()), HookPoints().size());
}

TEST(DescribeHookPoints, TellsNames) {
  v1::HookPoint point = Point("blocks.L.hook_attn_out");
  EXPECT_EQ(point.hugging_face_name(), "transformer.h.L.attn.c_proj");
  EXPECT_THAT(point.aliases(), Contains("blocks.L.attn.hook_out"));
  EXPECT_NE(point.description(), "");
}

TEST(DescribeHookPoints, TellsThisModelsSizes) {
  EXPECT_THAT(Point("blocks.L.hook_attn_out").shape_symbols(), ElementsAre("s", "d"));
  EXPECT_THAT(Point("blocks.L.hook_attn_out").shape(), ElementsAre(0, 8));
  EXPECT_THAT(Point("blocks.L.attn.hook_q").shape(), ElementsAre(0, 2, 4));
  EXPECT_THAT(Point("blocks.L.mlp.hook_pre").shape(), ElementsAre(0, 20));
  EXPECT_THAT(Point("blocks.L.ln1.hook_scale").shape(), ElementsAre(0, 1));
  EXPECT_THAT(Point("logits").shape(), ElementsAre(0, 257));
  EXPECT_EQ(Point("blocks.L.hook_attn_out").layers(), 3u);
  EXPECT_EQ(Point("hidden_states.L").layers(), 4u);
  EXPECT_EQ(Point("logits").layers(), 0u);
}

TEST(DescribeHookPoints, TellsWhatCanBeDone) {
  EXPECT_TRUE(Point("blocks.L.hook_attn_out").capturable());
  EXPECT_TRUE(Point("blocks.L.hook_attn_out").editable());
  EXPECT_FALSE(Point("blocks.L.ln1.hook_scale").editable());
}

}  // namespace
}  // namespace hydrophone
