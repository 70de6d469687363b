#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/verify/call/verify_call.h"
#include "tests/fakes/fake_server.h"
#include "tests/fakes/text_message.h"
#include "tests/fakes/toy_engine.h"

namespace hydrophone {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

bool Never() { return false; }

// Keeps what the engine gives.
class Keeper : public CaptureSink {
 public:
  void OnCapture(size_t, TensorView rows) override { captures.push_back(std::move(rows)); }
  bool Stopped() const override { return false; }

  std::vector<TensorView> captures;
};

class VerifyRunTest : public ::testing::Test {
 protected:
  VerifyRunTest() { Load(ToyFaults{}); }

  void Load(ToyFaults faults) {
    engine_ = std::make_unique<ToyEngine>(faults);
    server_.model = engine_->model();
    server_.compute = engine_->compute();
  }

  VerifyRun Begin(const std::string& request) {
    absl::StatusOr<VerifyCall> call = PlanVerify(Parse<v1::VerifyRequest>(request), "sha", server_.context());
    EXPECT_TRUE(call.ok()) << call.status();
    return VerifyRun(*std::move(call), server_.context());
  }

  std::vector<TensorView> Capture(const ExtractCall& extract) {
    Keeper keeper;
    BatchMember member{&extract.plan, &keeper};
    EXPECT_TRUE(engine_->Run({member}).ok());
    return keeper.captures;
  }

  absl::StatusOr<v1::VerifyResponse> Verified(const std::string& request) {
    VerifyRun run = Begin(request);
    for (size_t i = 0; i < run.call().extracts.size(); ++i) {
      const ExtractCall& extract = run.call().extracts[i];
      absl::Status taken = run.Take(i, Capture(extract), extract.plan.tokens());
      if (!taken.ok()) return taken;
    }
    return run.Finish(*engine_, Never);
  }

  v1::VerifyResponse MustVerify(const std::string& request) {
    absl::StatusOr<v1::VerifyResponse> response = Verified(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::VerifyResponse();
  }

  FakeServer server_;
  std::unique_ptr<ToyEngine> engine_;
};

std::vector<std::string> Failed(const v1::VerifyResponse& response) {
  std::vector<std::string> names;
  for (const v1::Check& check : response.checks()) {
    if (!check.passed()) names.push_back(check.name());
  }
  return names;
}

TEST_F(VerifyRunTest, PassesWhatIsRight) {
  v1::VerifyResponse response = MustVerify("texts: ['hello', 'you there', 'x']");
  EXPECT_TRUE(response.passed()) << response.ShortDebugString();
  ASSERT_EQ(response.layers_size(), 3);
  for (const v1::LayerReport& layer : response.layers()) EXPECT_TRUE(layer.bitwise());
  EXPECT_EQ(response.layers(0).mask().total(), 15u * 8u);
  EXPECT_EQ(response.final_state().max_abs_input_difference(), 0);
  EXPECT_GT(response.final_state().max_abs_raw_difference(), 0);
}

TEST_F(VerifyRunTest, SaysWhereItComesFromAndHowItUnderstoodTheInputs) {
  v1::VerifyResponse response = MustVerify("inputs { text: 'hi' key: 'greeting' }");
  EXPECT_EQ(response.provenance().model(), "toy");
  EXPECT_EQ(response.provenance().request_sha256(), "sha");
  ASSERT_EQ(response.inputs_size(), 1);
  EXPECT_EQ(response.inputs(0).key(), "greeting");
  EXPECT_THAT(response.inputs(0).token_ids(), ElementsAre('h', 'i'));
  EXPECT_THAT(response.inputs(0).pieces(), ElementsAre("h", "i"));
}

TEST_F(VerifyRunTest, SurvivesBeingCutIntoSmallMessages) {
  server_.limits.max_message_bytes = 1024;
  EXPECT_TRUE(MustVerify("inputs { text: 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnop' }").passed());
}

TEST_F(VerifyRunTest, FindsBitsThatDependOnNeighbours) {
  Load({.neighbours_leak = true});
  v1::VerifyResponse response = MustVerify("texts: 'hello'");
  EXPECT_FALSE(response.passed());
  EXPECT_THAT(Failed(response), Contains("alone.vs.batch"));
}

TEST_F(VerifyRunTest, FindsAWrongFormula) {
  Load({.mlp_scale = 1.01f});
  EXPECT_THAT(Failed(MustVerify("texts: 'hello'")), Contains("reference.blocks.0.hook_mlp_out"));
  EXPECT_TRUE(MustVerify("texts: 'hello' skip_reference: true").passed());
}

TEST_F(VerifyRunTest, AWrongSiteFailsItsOwnChecksAlone) {
  Load({.wrong_site = Site::kLogits});  // as with a wrong lm_head
  EXPECT_THAT(Failed(MustVerify("texts: ['hello', 'you']")), ElementsAre("reference.logits"));
  for (auto [site, name] : {std::pair(Site::kQ, "attn.hook_q"), {Site::kMlpPost, "mlp.hook_post"}}) {
    Load({.wrong_site = site});
    EXPECT_THAT(Failed(MustVerify("texts: ['hello', 'you']")),
                ElementsAre(absl::StrCat("reference.blocks.0.", name), absl::StrCat("reference.blocks.1.", name),
                            absl::StrCat("reference.blocks.2.", name)));
  }
}

TEST_F(VerifyRunTest, SendsResidualsAsTensorsWhenAskedTo) {
  v1::VerifyResponse response = MustVerify("texts: ['abc', 'de'] layers: 1 include_residuals: true");
  ASSERT_EQ(response.layers_size(), 1);
  EXPECT_THAT(response.layers(0).residual().shape(), ElementsAre(5, 8));
  EXPECT_EQ(response.layers(0).residual().data(), std::string(5 * 8 * 4, '\0'));
  EXPECT_THAT(response.final_state().ln_f_residual().shape(), ElementsAre(5, 8));
  EXPECT_FALSE(MustVerify("texts: 'abc'").layers(0).has_residual());
}

TEST_F(VerifyRunTest, RefusesRowsThatWereNotPlanned) {
  VerifyRun run = Begin("texts: 'hello'");
  std::vector<TensorView> captures = Capture(run.call().extracts[VerifyCall::kStates]);
  captures[2].shape[0] = 3;
  absl::Status status = run.Take(VerifyCall::kStates, std::move(captures), 5);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "captured hidden_states.2 has 24 values, expected 40");
}

TEST_F(VerifyRunTest, LetsGoOfTheCaptures) {
  VerifyRun run = Begin("texts: 'hello'");
  std::vector<TensorView> captures = Capture(run.call().extracts[VerifyCall::kStates]);
  std::vector<std::weak_ptr<const void>> owners;
  for (const TensorView& view : captures) owners.emplace_back(view.owner);
  ASSERT_TRUE(run.Take(VerifyCall::kStates, std::move(captures), 5).ok());
  for (const auto& owner : owners) EXPECT_TRUE(owner.expired());
}

TEST_F(VerifyRunTest, NeedsAllCaptures) {
  VerifyRun run = Begin("texts: 'hello'");
  EXPECT_EQ(run.Take(VerifyCall::kStates, {}, 5).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(run.Finish(*engine_, Never).status().code(), absl::StatusCode::kInternal);
}

TEST_F(VerifyRunTest, StopsWhenTheCallerHasLeft) {
  VerifyRun run = Begin("texts: 'hello'");
  for (size_t i = 0; i < run.call().extracts.size(); ++i) {
    ASSERT_TRUE(run.Take(i, Capture(run.call().extracts[i]), 5).ok());
  }
  EXPECT_EQ(run.Finish(*engine_, [] { return true; }).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(VerifyRunTest, TrainModeShowsWhereTheSumCloses) {
  absl::StatusOr<v1::VerifyResponse> response = Verified("texts: 'hello' train_seed: 1");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->passed());
  EXPECT_TRUE(response->layers(0).bitwise());
  const auto named = [](const v1::Check& check) { return check.name() == "A6.dropout" && check.value() < 0.5; };
  EXPECT_EQ(std::count_if(response->checks().begin(), response->checks().end(), named), 1);
}

}  // namespace
}  // namespace hydrophone
