// hydrophone health: whether the server serves.
#include <memory>
#include <string>

#include "client/cpp/cli/commands.h"

namespace hydrophone::client {
namespace {

int RunHealth(const Session& session, double wait_seconds) {
  const auto client = session.Connect();
  const absl::Status status =
      wait_seconds > 0 ? client->WaitUntilServing(absl::Seconds(wait_seconds)) : client->CheckHealth();
  if (!status.ok()) {
    session.Fail(status);
    return kCheckFailed;
  }
  session.out << "SERVING\n";
  return kOk;
}

}  // namespace

void AddHealthCommand(CLI::App& app, const Session& session, Action* action) {
  auto wait_seconds = std::make_shared<double>(0);
  CLI::App* command =
      app.add_subcommand("health", "Whether the server would answer a request now; exit status 1 when not");
  command->add_option("--wait", *wait_seconds, "Wait for it, at most so many seconds")->check(CLI::NonNegativeNumber);
  command->footer("Example:\n  hydrophone health --wait 60 && hydrophone model");
  command->callback([=, &session] { *action = [=, &session] { return RunHealth(session, *wait_seconds); }; });
}

}  // namespace hydrophone::client
