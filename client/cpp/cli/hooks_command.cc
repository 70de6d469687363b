// hydrophone hooks: the places of the forward pass that have a name.
#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/cli/commands.h"
#include "client/cpp/cli/display/table.h"

namespace hydrophone::client {
namespace {

// Whether one of the point's names holds the word, in any case of letters.
bool Matches(const v1::HookPoint& point, const std::string& word) {
  const auto holds = [&](const std::string& name) {
    return absl::StrContains(absl::AsciiStrToLower(name), absl::AsciiStrToLower(word));
  };
  return holds(point.name()) || holds(point.hugging_face_name()) ||
         std::any_of(point.aliases().begin(), point.aliases().end(), holds);
}

void PrintHooks(const v1::ListHookPointsResponse& response, const Session& session) {
  Table table({"name", "Hugging Face", "shape", "layers", "capture", "edit"});
  for (const v1::HookPoint& point : response.hook_points()) {
    const std::string layers = point.layers() == 0 ? "" : absl::StrCat("0-", point.layers() - 1);
    table.Add({point.name(), point.hugging_face_name(), absl::StrJoin(point.shape_symbols(), ","), layers,
               point.capturable() ? "yes" : "no", point.editable() ? "yes" : "no"});
  }
  table.Print(session.style, session.out);
}

int RunHooks(const Session& session, const std::string& word, bool json) {
  const auto response = session.Connect()->ListHookPoints();
  if (!response.ok()) return session.Fail(response.status());
  v1::ListHookPointsResponse chosen;
  for (const v1::HookPoint& point : response->hook_points()) {
    if (Matches(point, word)) *chosen.add_hook_points() = point;
  }
  if (json) {
    session.out << ToJson(chosen);
  } else {
    PrintHooks(chosen, session);
  }
  return kOk;
}

}  // namespace

void AddHooksCommand(CLI::App& app, const Session& session, Action* action) {
  struct Options {
    std::string word;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("hooks", "The hook points: their names, shapes and layers");
  command->add_option("FILTER", options->word, "Only points with this in one of their names");
  command->add_flag("--json", options->json, "The answer as JSON, descriptions and all accepted names included");
  command->footer(
      "In names, L stands for the layer. Shapes: s tokens, d width, H heads, f MLP width, V "
      "vocabulary.\n"
      "Examples:\n  hydrophone hooks\n  hydrophone hooks c_proj\n  hydrophone hooks resid --json");
  command->callback(
      [=, &session] { *action = [=, &session] { return RunHooks(session, options->word, options->json); }; });
}

}  // namespace hydrophone::client
