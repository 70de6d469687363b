#include "client/cpp/cli/extract_combination.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;

using Given = std::function<void(ExtractOptions*)>;

std::string Error(const Given& give) {
  ExtractOptions options;
  give(&options);
  return std::string(CheckCombination(options).message());
}

ExtractOptions OfHook(const std::string& hook) {
  ExtractOptions options;
  options.hooks = {hook};
  return options;
}

TEST(CheckCombination, RefusesOptionsThatContradictEachOther) {
  EXPECT_THAT(Error([](ExtractOptions*) {}), HasSubstr("nothing to capture"));
  EXPECT_THAT(Error([](ExtractOptions* options) { options->metrics = {"kl@0"}; }), HasSubstr("--metric kl compares"));
  EXPECT_THAT(Error([](ExtractOptions* options) {
                *options = OfHook("hook_embed");
                options->largest = 1;
                options->view = "preview";
              }),
              HasSubstr("--view summary only"));
}

TEST(CheckCombination, RefusesWhatIsSaidOfHooksWithoutAHook) {
  for (std::string ExtractOptions::*option :
       {&ExtractOptions::layers, &ExtractOptions::positions, &ExtractOptions::heads, &ExtractOptions::features,
        &ExtractOptions::reduce, &ExtractOptions::project, &ExtractOptions::view, &ExtractOptions::layout,
        &ExtractOptions::dtype, &ExtractOptions::quantiles}) {
    EXPECT_THAT(Error([&](ExtractOptions* options) {
                  options->metrics = {"loss"};
                  options->*option = "0";
                }),
                HasSubstr("there is no --hook"));
  }
}

TEST(CheckCombination, RefusesAFormWhereNoTensorsCome) {
  for (const auto& [option, value] : {std::pair{&ExtractOptions::view, "summary"},
                                      {&ExtractOptions::layout, "rows"},
                                      {&ExtractOptions::dtype, "float16"},
                                      {&ExtractOptions::quantiles, "0.5"}}) {
    const auto error_beside = [option = option, value = value](const Given& give) {
      return Error([&](ExtractOptions* options) {
        give(options);
        options->*option = value;
      });
    };
    EXPECT_THAT(error_beside([](ExtractOptions* options) { options->edits = {"hook_embed zero"}; }),
                HasSubstr("need --no-baseline"));
    EXPECT_THAT(error_beside([](ExtractOptions* options) { options->top_k = 1; }),
                HasSubstr("a logit lens gives scores"));
  }
}

TEST(CheckCombination, RefusesATypeWhereNoBytesCome) {
  ExtractOptions options = OfHook("hook_embed");
  options.dtype = "float32";
  const auto error = [&options] { return std::string(CheckCombination(options).message()); };
  EXPECT_EQ(error(),
            "--dtype float32: got a type for --view preview, which has none; expected --out or --view bytes beside it");
  options.json = true;
  EXPECT_THAT(error(), HasSubstr("--view floats"));
  options.threshold = 3.0F;
  EXPECT_THAT(error(), HasSubstr("--view summary"));
  options = OfHook("hook_embed");
  options.dtype = "float32";
  options.view = "bytes";
  EXPECT_EQ(error(), "");
  options.view = "";
  options.out = "x.safetensors";
  EXPECT_EQ(error(), "");
}

TEST(CheckCombination, RefusesLayersThatNoHookTakes) {
  for (const char* hook : {"hook_resid_post@1", "blocks.3.hook_resid_post", "blocks.*.hook_resid_post", "logits"}) {
    ExtractOptions options = OfHook(hook);
    EXPECT_TRUE(CheckCombination(options).ok()) << hook;
    options.layers = "5";
    EXPECT_THAT(std::string(CheckCombination(options).message()), HasSubstr("--layers 5: got layers that no --hook"))
        << hook;
    options.hooks.emplace_back("hook_resid_pre");
    EXPECT_TRUE(CheckCombination(options).ok()) << hook;
  }
}

TEST(ViewName, SuitsTheOutputUnlessGiven) {
  ExtractOptions options;
  EXPECT_EQ(ViewName(options), "preview");
  options.json = true;
  EXPECT_EQ(ViewName(options), "floats");
  options = {};
  options.out = "x.safetensors";
  EXPECT_EQ(ViewName(options), "bytes");
  options.largest = 1;
  EXPECT_EQ(ViewName(options), "summary");
  options.view = "preview";
  EXPECT_EQ(ViewName(options), "preview");
}

}  // namespace
}  // namespace hydrophone::client
