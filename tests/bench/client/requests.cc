#include "tests/bench/client/requests.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydrophone::bench {
namespace {

using nlohmann::json;

constexpr char kExtract[] = "/hydrophone.v1.ActivationService/Extract";

// The functions here throw json::exception; ReadCommand turns it into a status.

Way WayOf(const std::string& name) {
  if (name == "client") return Way::kClient;
  if (name == "bytes") return Way::kBytes;
  if (name == "peer") return Way::kPeer;
  throw json::other_error::create(501, absl::StrCat("way: got ", name, ", expected client, bytes or peer"), nullptr);
}

v1::ExtractRequest RequestOf(const json& described) {
  v1::ExtractRequest request;
  for (const json& ids : described.at("inputs")) {
    auto* input = request.add_inputs();
    for (const json& id : ids) input->add_token_ids(id.get<uint32_t>());
  }
  for (const json& described_hook : described.at("hooks")) {
    v1::HookSelector* hook = request.add_hooks();
    hook->set_hook_point(described_hook.at("point").get<std::string>());
    for (const json& layer : described_hook.value("layers", json::array())) hook->add_layers(layer.get<int32_t>());
    const auto slice = described_hook.value("positions", std::string());
    if (!slice.empty()) hook->mutable_positions()->set_slice(slice);
  }
  request.set_layout(described.value("rows", false) ? v1::LAYOUT_ROWS : v1::LAYOUT_PER_RUN);
  return request;
}

Command CommandOf(const json& described) {
  Command command;
  command.way = WayOf(described.at("way").get<std::string>());
  command.method = described.value("method", std::string(kExtract));
  command.callers = described.at("callers").get<size_t>();
  command.calls = described.at("calls").get<size_t>();
  command.keep_answers = described.value("keep", true);
  for (const json& request : described.at("requests")) {
    command.requests.push_back(RequestOf(request));
    command.bodies.push_back(command.way == Way::kPeer ? request.dump() : command.requests.back().SerializeAsString());
  }
  return command;
}

}  // namespace

absl::StatusOr<Command> ReadCommand(const std::string& line) {
  try {
    Command command = CommandOf(json::parse(line));
    if (command.requests.empty() || command.callers == 0) {
      return absl::InvalidArgumentError("a command needs at least one request and one caller");
    }
    return command;
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

}  // namespace hydrophone::bench
