// hydrophone model: what the server loaded.
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/cli/commands.h"
#include "client/cpp/cli/display/table.h"

namespace hydrophone::client {
namespace {

std::string TokenizerLine(const v1::ModelInfo& model) {
  if (model.tokenizer_sha256().empty()) return "none: inputs are token ids";
  const v1::TokenizerInfo& tokenizer = model.tokenizer();
  std::string line = absl::StrCat("sha256 ", model.tokenizer_sha256());
  if (tokenizer.add_prefix_space()) absl::StrAppend(&line, "; a space before every text");
  const auto add = [&line](absl::string_view where, const auto& ids) {
    if (!ids.empty()) absl::StrAppend(&line, "; ", where, " every text: ", absl::StrJoin(ids, ", "));
  };
  add("ids before", tokenizer.ids_before_text());
  add("ids after", tokenizer.ids_after_text());
  return line;
}

void PrintModel(const v1::GetModelResponse& response, const Session& session) {
  const v1::ModelInfo& model = response.model();
  const v1::ComputeInfo& compute = response.compute();
  const v1::Limits& limits = response.limits();
  const auto number = [](auto value) { return absl::StrCat(value); };
  Table table;
  table.Add({"model", absl::StrCat(model.name(), " (", model.architecture(), ")")});
  table.Add({"blocks", absl::StrCat(number(model.n_layer()), " of width ", model.n_embd(), ", ", model.n_head(),
                                    " heads, MLP width ", model.n_inner())});
  table.Add({"context", absl::StrCat(model.n_positions(), " tokens of a vocabulary of ", model.vocab_size())});
  table.Add({"parameters", absl::StrCat(model.parameters(), ", ", model.weights_dtype(), " in the file")});
  table.Add({"activation",
             absl::StrCat(model.activation_function(), ", LayerNorm epsilon ", Short(model.layer_norm_epsilon()))});
  table.Add({"weights", absl::StrCat("sha256 ", model.weights_sha256())});
  table.Add({"tokenizer", TokenizerLine(model)});
  table.Add({"computes in",
             absl::StrCat(compute.dtype(), " on ", compute.device(), compute.instruction_set().empty() ? "" : " with ",
                          compute.instruction_set(), ", ", compute.threads(), " threads")});
  table.Add({"numerics", compute.numerics()});
  table.Add({"rows", compute.batch_independent() ? "do not depend on what else the server computes"
                                                 : "may depend on what else the server computes"});
  table.Add({"a request",
             absl::StrCat("at most ", limits.max_inputs_per_request(), " inputs, ", limits.max_tokens_per_request(),
                          " tokens, ", limits.max_response_bytes(), " bytes of captures")});
  table.Add({"versions",
             absl::StrCat("hydrophone ", response.versions().server(), ", libtorch ", response.versions().libtorch(),
                          ", gRPC ", response.versions().grpc(), ", protobuf ", response.versions().protobuf())});
  table.Print(session.style, session.out);
}

int RunModel(const Session& session, bool json) {
  const auto response = session.Connect()->GetModel();
  if (!response.ok()) return session.Fail(response.status());
  if (json) {
    session.out << ToJson(*response);
  } else {
    PrintModel(*response, session);
  }
  return kOk;
}

}  // namespace

void AddModelCommand(CLI::App& app, const Session& session, Action* action) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("model", "What the server loaded, how it computes, and its limits");
  command->add_flag("--json", *json, "The whole answer as JSON");
  command->footer("Example:\n  hydrophone model --json | jq .model.weights_sha256");
  command->callback([=, &session] { *action = [=, &session] { return RunModel(session, *json); }; });
}

}  // namespace hydrophone::client
