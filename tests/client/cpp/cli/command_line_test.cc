#include "client/cpp/cli/command_line.h"

#include <cstdlib>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/client/cpp/cli/command_line_fixture.h"

namespace hydrophone::client {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(CommandLineTest, HelpIsNoError) {
  const Result result = Run({"extract", "--help"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("Examples:"));
}

TEST_F(CommandLineTest, WrongUsageIsStatusTwo) {
  EXPECT_EQ(Run({}).status, 2);
  EXPECT_EQ(Run({"no-such-command"}).status, 2);
  EXPECT_EQ(Run({"extract", "text"}).status, 2) << "--hook is missing";
  EXPECT_EQ(Run({"extract", "--hook", "x", "--view", "other", "text"}).status, 2);
  EXPECT_EQ(Run({"extract", "--hook", "x", "--layers", "six", "text"}).status, 2);
  EXPECT_EQ(Run({"verify", "--mask-abs", "3", "--mask-quantile", "0.5"}).status, 2);
  EXPECT_THAT(service_.requests(), IsEmpty());
}

TEST_F(CommandLineTest, AMisspeltCommandGetsTheNearestOne) {
  const Result result = Run({"extrct", "--hook", "attn.c_proj", "abc"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("no command is called \"extrct\"; did you mean extract?"));
  EXPECT_THAT(Run({"zzz"}).err, HasSubstr("there are model, hooks, parameters, tokenize"));
}

TEST_F(CommandLineTest, AServerThatIsNoAddressIsRefusedAsSuch) {
  for (const auto& [server, why] : std::vector<std::pair<std::string, std::string>>{
           {"http://lab:50051", "a URL"}, {"lab", "no port"}, {"127.0.0.1:99999", "above 65535"}}) {
    const Result result = Run({"--server", server, "model"});
    EXPECT_EQ(result.status, 2) << server;
    EXPECT_THAT(result.err, HasSubstr(why)) << server;
  }
}

TEST_F(CommandLineTest, OutputThatIsLostIsStatusThree) {
  const std::vector<std::vector<std::string>> commands = {
      {"model"},
      {"model", "--json"},
      {"hooks"},
      {"parameters"},
      {"parameters", "--json"},
      {"tokenize", "abc"},
      {"verify"},
      {"verify", "--json"},
      {"--help"},
      {"completion", "bash"},
      {"extract", "--top-k", "1", "abc"},
      {"extract", "--max-new-tokens", "1", "abc"},
      {"--version"},
      {"extract", "--hook", "attn.c_proj", "--layers", "1", "abc"},
      {"extract", "--hook", "attn.c_proj", "--layers", "1", "--json", "abc"}};
  for (std::vector<std::string> arguments : commands) {
    const std::string name = arguments[0];
    arguments.insert(arguments.begin(), {"--server", service_.address()});
    std::istringstream in;
    std::ostream full(nullptr);  // takes nothing
    std::ostringstream err;
    EXPECT_EQ(RunCommandLine(arguments, in, full, err), 3) << name;
    EXPECT_THAT(err.str(), HasSubstr("could not be written")) << name;
  }
}

TEST_F(CommandLineTest, ModelAndHooksAreTables) {
  EXPECT_THAT(Run({"model"}).out, HasSubstr("2 of width 3"));
  EXPECT_EQ(nlohmann::json::parse(Run({"model", "--json"}).out)["model"]["n_layer"], 2);
  EXPECT_THAT(Run({"hooks", "MLP"}).out, AllOf(HasSubstr("blocks.L.mlp.c_proj"), Not(HasSubstr("attn"))));
  EXPECT_THAT(Run({"hooks"}).out,
              AllOf(HasSubstr("capture  edit"), HasSubstr("yes      no"), HasSubstr("yes      yes")));
  EXPECT_THAT(nlohmann::json::parse(Run({"hooks", "--json"}).out)["hook_points"], SizeIs(2));
}

TEST_F(CommandLineTest, TokenizeShowsPiecesAndOffsets) {
  EXPECT_THAT(Run({"tokenize", "abc"}).out, HasSubstr("99  `p99`     2"));
  EXPECT_THAT(Run({"tokenize"}, "abc\n").out, HasSubstr("input 0: 2 tokens"));
  EXPECT_EQ(nlohmann::json::parse(Run({"tokenize", "--json", "abc"}).out)["inputs"][0]["token_ids"][1], 99);
}

TEST_F(CommandLineTest, ColourIsForTerminalsOrTheOption) {
  const char escape = '\x1b';
  EXPECT_THAT(Run({"tokenize", "abc"}).out, Not(Contains(escape)));
  EXPECT_THAT(Run({"--color", "always", "tokenize", "abc"}).out, Contains(escape));
  EXPECT_EQ(Run({"--color", "sometimes", "tokenize", "abc"}).status, 2);
}

TEST_F(CommandLineTest, CompletionComesFromTheOptionsThemselves) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Result result = Run({"completion", shell});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, AllOf(HasSubstr("skip-bad-inputs"), HasSubstr("tokenize"), HasSubstr("rows per-run")));
  }
  EXPECT_EQ(Run({"completion", "tcsh"}).status, 2);
}

TEST_F(CommandLineTest, ExtractShowsPreviews) {
  const Result result = Run({"extract", "--hook", "attn.c_proj", "--layers", "1", "abc"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("blocks.1.attn.c_proj of input 0, shape [3, 3]:\n[[1. 2. 3.]]"));
}

TEST_F(CommandLineTest, ExtractMakesTheRequestThatTheOptionsName) {
  Run({"extract",
       "--hook",
       "attn.c_proj",
       "--hook",
       "hidden_states@0,1",
       "--layers",
       "1",
       "--positions",
       "last",
       "--prepend-bos",
       "--truncate",
       "--literal-specials",
       "--skip-bad-inputs",
       "--layout",
       "rows",
       "--view",
       "bytes",
       "--dtype",
       "float16",
       "abc",
       "def"});
  ASSERT_THAT(service_.requests(), SizeIs(1));
  const v1::ExtractRequest request = service_.requests()[0];
  EXPECT_EQ(request.hooks_size(), 2);
  EXPECT_THAT(request.hooks(0).layers(), ElementsAre(1));
  EXPECT_THAT(request.hooks(1).layers(), ElementsAre(0, 1));
  EXPECT_THAT(request.hooks(1).positions().at(), ElementsAre(-1));
  EXPECT_EQ(request.inputs_size(), 2);
  EXPECT_TRUE(request.inputs(1).prepend_bos());
  EXPECT_TRUE(request.inputs(1).truncate());
  EXPECT_TRUE(request.inputs(1).literal_specials());
  EXPECT_TRUE(request.skip_bad_inputs());
  EXPECT_EQ(request.layout(), v1::LAYOUT_ROWS);
  EXPECT_EQ(request.view(), v1::VIEW_BYTES);
  EXPECT_EQ(request.dtype(), v1::DTYPE_FLOAT16);
}

TEST_F(CommandLineTest, NumbersFromTheEndAreNotTakenForOptions) {
  EXPECT_EQ(Run({"extract", "--hook", "mlp.c_proj", "--layers", "-1", "--positions", "-2:", "abc"}).status, 0);
  ASSERT_THAT(service_.requests(), SizeIs(1));
  EXPECT_THAT(service_.requests()[0].hooks(0).layers(), ElementsAre(-1));
  EXPECT_EQ(service_.requests()[0].hooks(0).positions().slice(), "-2:");
}

TEST_F(CommandLineTest, ExtractWritesSafetensors) {
  const std::string path = directory_ / "x.safetensors";
  const Result result = Run({"extract", "--hook", "attn.c_proj", "--out", path, "abc", "d"});
  EXPECT_EQ(result.status, 0) << result.err;
  const std::string file = ReadFile(path);
  EXPECT_THAT(file, HasSubstr("\"blocks.1.attn.c_proj\":{\"dtype\":\"F32\",\"shape\":[4,3]"));
  EXPECT_THAT(file, HasSubstr("hydrophone.provenance"));
  EXPECT_THAT(file, HasSubstr("hydrophone.request"));
  EXPECT_THAT(directory_.List(), ElementsAre("x.safetensors"));
}

TEST_F(CommandLineTest, ExtractWritesNumPyArrays) {
  const Result result =
      Run({"extract", "--hook", "attn.c_proj", "--layers", "0", "--out", directory_ / "captures", "abc"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto metadata = nlohmann::json::parse(ReadFile(directory_ / "captures/metadata.json"));
  EXPECT_EQ(metadata["hydrophone.provenance"]["model"], "toy");
  EXPECT_EQ(metadata["hydrophone.request"]["hooks"][0]["hook_point"], "attn.c_proj");
  EXPECT_TRUE(std::filesystem::exists(directory_ / "captures/blocks.0.attn.c_proj.npy"));
}

TEST_F(CommandLineTest, AFailedExtractLeavesNothing) {
  service_.on_extract = [](const v1::ExtractRequest& request) {
    Script script{ToyStream(request), grpc::Status::OK};
    script.messages.pop_back();
    return script;
  };
  WriteFile(directory_ / "x.safetensors", "old");
  const Result result =
      Run({"extract", "--hook", "attn.c_proj", "--out", directory_ / "x.safetensors", "--force", "abc"});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.err, HasSubstr("without a trailer"));
  EXPECT_EQ(ReadFile(directory_ / "x.safetensors"), "old");
  EXPECT_EQ(Run({"extract", "--hook", "attn.c_proj", "--out", directory_ / "captures", "abc"}).status, 3);
  EXPECT_THAT(directory_.List(), ElementsAre("x.safetensors"));
}

TEST_F(CommandLineTest, AnOutputThatCannotBeWrittenIsRefusedBeforeTheServerIsAsked) {
  EXPECT_EQ(Run({"extract", "--hook", "x", "--out", directory_ / "x.npz", "abc"}).status, 2);
  EXPECT_EQ(Run({"extract", "--hook", "x", "--out", "/no/such/directory/x.safetensors", "abc"}).status, 2);
  EXPECT_EQ(Run({"extract", "--hook", "x", "--dtype", "bfloat16", "--out", directory_ / "captures", "abc"}).status, 2);
  EXPECT_EQ(Run({"extract", "--hook", "x", "--view", "preview", "--out", directory_ / "captures", "abc"}).status, 2);
  EXPECT_THAT(service_.requests(), IsEmpty());
}

TEST_F(CommandLineTest, TheServersRefusalIsReadable) {
  service_.on_extract = [](const v1::ExtractRequest&) {
    return Script{{},
                  StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "1 field is wrong", "BAD_REQUEST",
                                    {{"hooks[0].hook_point", "got \"x\", did you mean \"y\"?"}})};
  };
  const Result result = Run({"extract", "--hook", "x", "abc"});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.err, HasSubstr("INVALID_ARGUMENT: 1 field is wrong [BAD_REQUEST]\n  "
                                    "--hook x: got \"x\", did you mean"));
}

class VerifyCommandTest : public CommandLineTest {
 protected:
  VerifyCommandTest() {
    service_.on_verify = [this](const v1::VerifyRequest& request, v1::VerifyResponse* response) {
      request_ = request;
      response->set_passed(true);
      v1::InputInfo* input = response->add_inputs();
      for (const uint32_t id : {5U, 7U}) input->add_token_ids(id);
      for (uint32_t layer = 0; layer < kToyLayers; ++layer) {
        response->add_layers()->set_layer(layer);
        response->mutable_layers(static_cast<int>(layer))->set_bitwise(true);
      }
      return grpc::Status::OK;
    };
  }

  v1::VerifyRequest request_;
};

TEST_F(VerifyCommandTest, ComparesWithTheClientsOwnReconstruction) {
  const Result result = Run({"verify", "--layers", "0-1", "--mask-quantile", "0.5", "--skip-reference", "abc"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("PASSED"));
  EXPECT_THAT(request_.layers(), ElementsAre(0, 1));
  EXPECT_EQ(request_.mask().quantile(), 0.5F);
  EXPECT_TRUE(request_.skip_reference());
  ASSERT_THAT(service_.requests(), SizeIs(2)) << "states and deltas apart";
  EXPECT_THAT(service_.requests()[0].inputs(0).token_ids(), ElementsAre(5, 7)) << "what the server verified";
}

TEST_F(VerifyCommandTest, TrainModeIsReconstructedAtBothPlaces) {
  const Result result = Run({"verify", "--train-seed", "7", "abc"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(request_.train_seed(), 7u);
  EXPECT_THAT(result.out, HasSubstr("client, after the dropouts: bitwise"));
  ASSERT_THAT(service_.requests(), SizeIs(4)) << "states and deltas apart, twice";
  EXPECT_EQ(Run({"verify", "--train-seed", "x"}).status, 2);
}

TEST_F(VerifyCommandTest, NoInputsMeansTheServersOwn) {
  EXPECT_EQ(Run({"verify"}).status, 0);
  EXPECT_EQ(request_.inputs_size(), 0);
  for (const char* option : {"--prepend-bos", "--literal-specials"}) {
    const Result result = Run({"verify", option});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr(std::string(option) + ": got no inputs, where the server verifies its own"));
    EXPECT_EQ(Run({"verify", option, "abc"}).status, 0);
  }
}

TEST_F(VerifyCommandTest, AFileWithoutInputsIsNotTakenForNone) {
  const Result result = Run({"verify", "--jsonl", "/dev/null"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("no inputs"));
}

TEST_F(VerifyCommandTest, AQuantileOfNothingIsTheServersToRefuse) {
  Run({"verify", "--mask-quantile", "0", "abc"});
  EXPECT_TRUE(request_.has_mask());
  EXPECT_EQ(request_.mask().quantile(), 0);
}

TEST_F(VerifyCommandTest, BytesThatDoNotCloseTheEquationAreStatusOne) {
  service_.on_extract = [](const v1::ExtractRequest& request) {
    Script script{ToyStream(request), grpc::Status::OK};
    if (request.hooks(0).hook_point() != "attn.c_proj") return script;
    v1::Chunk* chunk = script.messages[2].mutable_chunk();
    const v1::TensorInfo info = chunk->info();
    std::string data = chunk->data();
    data[3] = static_cast<char>(data[3] ^ 0x40);  // the exponent's highest bit: no rounding hides it
    script.messages[2] = ToyChunk(0, 0, data);
    *script.messages[2].mutable_chunk()->mutable_info() = info;
    return script;
  };
  const Result result = Run({"verify", "--json"});
  EXPECT_EQ(result.status, 1);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["client"]["agrees"], false);
  EXPECT_EQ(json["passed"], false);
}

TEST_F(CommandLineTest, HealthIsTheExitStatus) {
  EXPECT_EQ(Run({"health"}).status, 0);
  service_.SetServing(false);
  EXPECT_EQ(Run({"health"}).status, 1);
}

TEST_F(CommandLineTest, TheServerMayComeFromTheEnvironment) {
  ::setenv("HYDROPHONE_SERVER", service_.address().c_str(), 1);
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCommandLine({"health"}, in, out, err), 0);
  ::unsetenv("HYDROPHONE_SERVER");
}

}  // namespace
}  // namespace hydrophone::client
