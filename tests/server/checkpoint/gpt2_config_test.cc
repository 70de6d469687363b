#include "server/checkpoint/gpt2_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

using Activation = Activation;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<Gpt2Config> ParseFields(absl::string_view fields) {
  return ParseGpt2Config(absl::StrCat(R"({"model_type": "gpt2")", fields.empty() ? "" : ", ", fields, "}"));
}

Gpt2Config Config(absl::string_view fields) {
  const absl::StatusOr<Gpt2Config> config = ParseFields(fields);
  EXPECT_TRUE(config.ok()) << fields << ": " << config.status();
  return config.value_or(Gpt2Config());
}

std::string ErrorOf(absl::string_view fields) {
  const absl::StatusOr<Gpt2Config> config = ParseFields(fields);
  if (config.ok()) return "";
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(config.status().message());
}

TEST(Gpt2ConfigTest, AbsentFieldsHaveHuggingFacesDefaults) {
  const Gpt2Config config = Config("");
  EXPECT_EQ(config.n_layer, 12);
  EXPECT_EQ(config.n_embd, 768);
  EXPECT_EQ(config.n_head, 12);
  EXPECT_EQ(config.d_head(), 64);
  EXPECT_EQ(config.n_inner, 3072);
  EXPECT_EQ(config.n_positions, 1024);
  EXPECT_EQ(config.vocab_size, 50257);
  EXPECT_EQ(config.activation, Activation::kGeluNew);
  EXPECT_EQ(config.layer_norm_epsilon, 1e-5);
  EXPECT_TRUE(config.scale_attn_weights);
  EXPECT_FALSE(config.scale_attn_by_inverse_layer_idx);
  EXPECT_FALSE(config.reorder_and_upcast_attn);
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_EQ(config.embd_pdrop, 0.1);
  EXPECT_EQ(config.attn_pdrop, 0.1);
  EXPECT_EQ(config.resid_pdrop, 0.1);
}

TEST(Gpt2ConfigTest, EveryFieldIsRead) {
  const Gpt2Config config = Config(
      R"("n_layer": 3, "n_embd": 60, "n_head": 5, "n_inner": 100, "n_positions": 77, "vocab_size": 11,
         "activation_function": "relu", "layer_norm_epsilon": 1e-6, "scale_attn_weights": false,
         "scale_attn_by_inverse_layer_idx": true, "reorder_and_upcast_attn": true, "tie_word_embeddings": false,
         "embd_pdrop": 0, "attn_pdrop": 0.25, "resid_pdrop": 0.5)");
  EXPECT_EQ(config.n_layer, 3);
  EXPECT_EQ(config.n_embd, 60);
  EXPECT_EQ(config.n_head, 5);
  EXPECT_EQ(config.n_inner, 100);
  EXPECT_EQ(config.n_positions, 77);
  EXPECT_EQ(config.vocab_size, 11);
  EXPECT_EQ(config.activation, Activation::kRelu);
  EXPECT_EQ(config.activation_function, "relu");
  EXPECT_EQ(config.layer_norm_epsilon, 1e-6);
  EXPECT_FALSE(config.scale_attn_weights);
  EXPECT_TRUE(config.scale_attn_by_inverse_layer_idx);
  EXPECT_TRUE(config.reorder_and_upcast_attn);
  EXPECT_FALSE(config.tie_word_embeddings);
  EXPECT_EQ(config.embd_pdrop, 0);
  EXPECT_EQ(config.attn_pdrop, 0.25);
  EXPECT_EQ(config.resid_pdrop, 0.5);
}

TEST(Gpt2ConfigTest, TheInnerWidthIsFourTimesTheOuterUnlessGiven) {
  EXPECT_EQ(Config(R"("n_embd": 24, "n_inner": null)").n_inner, 96);
  EXPECT_EQ(Config(R"("n_embd": 24)").n_inner, 96);
  EXPECT_EQ(Config(R"("n_embd": 24, "n_inner": 1)").n_inner, 1);
}

TEST(Gpt2ConfigTest, SizesGoByTheirGeneralNamesToo) {
  const Gpt2Config config =
      Config(R"("num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 4, "max_position_embeddings": 9)");
  EXPECT_EQ(config.n_layer, 2);
  EXPECT_EQ(config.n_embd, 8);
  EXPECT_EQ(config.n_head, 4);
  EXPECT_EQ(config.n_positions, 9);
  EXPECT_EQ(ErrorOf(R"("n_embd": 24, "hidden_size": 24)"), "");
  EXPECT_THAT(ErrorOf(R"("n_embd": 24, "hidden_size": 36)"),
              HasSubstr("n_embd: got 24, expected the same as hidden_size, which is 36"));
}

TEST(Gpt2ConfigTest, ActivationsWithOneFormulaAreOne) {
  const auto activation = [](const char* name) {
    return Config(absl::StrCat("\"activation_function\": \"", name, "\"")).activation;
  };
  EXPECT_EQ(activation("gelu_pytorch_tanh"), Activation::kGeluNew);
  EXPECT_EQ(activation("gelu_fast"), Activation::kGeluNew);
  EXPECT_EQ(activation("gelu"), Activation::kGelu);
  EXPECT_EQ(activation("quick_gelu"), Activation::kQuickGelu);
  EXPECT_EQ(activation("swish"), Activation::kSilu);
  EXPECT_EQ(activation("silu"), Activation::kSilu);
  EXPECT_EQ(activation("tanh"), Activation::kTanh);
  EXPECT_EQ(activation("mish"), Activation::kMish);
  EXPECT_EQ(activation("relu6"), Activation::kRelu6);
}

TEST(Gpt2ConfigTest, RefusesOtherModelsByName) {
  EXPECT_THAT(std::string(ParseGpt2Config("{}").status().message()),
              HasSubstr("model_type: got \"\", expected \"gpt2\""));
  EXPECT_THAT(std::string(ParseGpt2Config(R"({"model_type": "llama"})").status().message()),
              HasSubstr("model_type: got \"llama\""));
  EXPECT_THAT(ErrorOf(R"("add_cross_attention": true)"),
              HasSubstr("add_cross_attention: this server does not do cross attention"));
  EXPECT_THAT(ErrorOf(R"("quantization_config": {"bits": 4})"), HasSubstr("quantization_config"));
  EXPECT_THAT(ErrorOf(R"("auto_map": {"AutoModel": "x.Y"})"), HasSubstr("auto_map"));
  EXPECT_THAT(ErrorOf(R"("pruned_heads": {"0": [1]})"), HasSubstr("pruned_heads"));
  for (const char* name : {"prelu", "xielu", "no_such"}) {
    EXPECT_THAT(ErrorOf(absl::StrCat(R"("activation_function": ")", name, "\"")),
                HasSubstr(absl::StrCat("activation_function: got \"", name, "\", expected one of gelu_new")));
  }
}

TEST(Gpt2ConfigTest, WhatIsRefusedMayBeTurnedOff) {
  EXPECT_EQ(
      ErrorOf(R"("add_cross_attention": false, "quantization_config": null, "pruned_heads": {}, "auto_map": null)"),
      "");
}

TEST(Gpt2ConfigTest, FieldsThatDoNotChangeTheArithmeticAreAccepted) {
  EXPECT_EQ(ErrorOf(R"("architectures": ["GPT2LMHeadModel"], "use_cache": false, "bos_token_id": 50256, "n_ctx": 512,
                       "summary_type": "cls_index", "summary_activation": null, "initializer_range": 0.02,
                       "torch_dtype": "float16", "dtype": "float32", "transformers_version": "5.23.0",
                       "task_specific_params": {"text-generation": {}})"),
            "");
}

TEST(Gpt2ConfigTest, RefusesValuesOfWrongTypeOrRange) {
  for (const char* field : {R"("n_layer": 0)",
                            R"("n_layer": -1)",
                            R"("n_layer": 2.0)",
                            R"("n_layer": "2")",
                            R"("n_layer": null)",
                            R"("n_layer": true)",
                            R"("n_layer": 5000)",
                            R"("n_embd": 99999999999999999999)",
                            R"("n_inner": 0)",
                            R"("n_inner": "4")",
                            R"("vocab_size": 2147483648)",
                            R"("layer_norm_epsilon": 0)",
                            R"("layer_norm_epsilon": -1e-5)",
                            R"("layer_norm_epsilon": "1e-5")",
                            R"("layer_norm_epsilon": true)",
                            R"("scale_attn_weights": 1)",
                            R"("tie_word_embeddings": null)",
                            R"("resid_pdrop": 1.5)",
                            R"("resid_pdrop": -0.1)",
                            R"("attn_pdrop": "0.1")",
                            R"("embd_pdrop": null)",
                            R"("activation_function": null)",
                            R"("activation_function": 3)"}) {
    EXPECT_THAT(ErrorOf(field), AllOf(HasSubstr("got"), HasSubstr("expected"))) << field;
  }
}

TEST(Gpt2ConfigTest, TheEndIsATokenSeveralOrNone) {
  const auto ends = [](absl::string_view field) {
    const absl::StatusOr<Gpt2Config> config = ParseGpt2Config(absl::StrCat(R"({"model_type": "gpt2")", field, "}"));
    return config.ok() ? config->eos_token_ids : std::vector<uint32_t>{};
  };
  EXPECT_THAT(ends(""), ElementsAre(50256));
  EXPECT_THAT(ends(R"(, "eos_token_id": 7)"), ElementsAre(7));
  EXPECT_THAT(ends(R"(, "eos_token_id": [7, 198])"), ElementsAre(7, 198));
  EXPECT_THAT(ends(R"(, "eos_token_id": null)"), ElementsAre());
  EXPECT_THAT(ErrorOf(R"("eos_token_id": "x")"), HasSubstr("eos_token_id: got \"x\", expected a token id"));
  EXPECT_THAT(*ParseGenerationConfig(R"({"eos_token_id": [1, 2], "do_sample": true})"), ElementsAre(1, 2));
  EXPECT_THAT(*ParseGenerationConfig("{}"), ElementsAre());
  EXPECT_THAT(std::string(ParseGenerationConfig(R"({"eos_token_id": -1})").status().message()), HasSubstr("got -1"));
}

TEST(Gpt2ConfigTest, HeadsMustDivideTheWidth) {
  EXPECT_THAT(ErrorOf(R"("n_embd": 10, "n_head": 3)"), HasSubstr("n_embd: got 10, expected a multiple of n_head, 3"));
}

TEST(Gpt2ConfigTest, OneMessageNamesEveryProblem) {
  EXPECT_THAT(ErrorOf(R"("n_layer": 0, "activation_function": "x", "add_cross_attention": true, "resid_pdrop": 2)"),
              AllOf(HasSubstr("n_layer"), HasSubstr("activation_function"), HasSubstr("add_cross_attention"),
                    HasSubstr("resid_pdrop")));
}

TEST(Gpt2ConfigTest, RefusesWhatIsNoJsonObject) {
  for (const char* text : {"", "[]", "1", "{", "{\"model_type\": \"gpt2\", \"model_type\": \"gpt2\"}"}) {
    EXPECT_EQ(ParseGpt2Config(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace hydrophone
