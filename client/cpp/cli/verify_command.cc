// hydrophone verify: whether the numbers are right, as the server measures it and as this client
// does.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cpp/cli/commands.h"
#include "client/cpp/cli/input_options.h"
#include "client/cpp/cli/selection.h"
#include "client/cpp/cli/verify_report.h"
#include "client/cpp/cli/whole_number.h"
#include "client/cpp/reconstruction.h"

namespace hydrophone::client {
namespace {

constexpr char kExamples[] =
    "Without inputs, the server verifies its own example sentence. The server closes H[L+1] = "
    "(H[L] + attention) + MLP on what\n"
    "it captures; this client fetches states and deltas by two separate requests, closes it again "
    "from the bytes that it\n"
    "received, and compares.\n"
    "Examples:\n"
    "  hydrophone verify\n"
    "  hydrophone verify --layers 10 --mask-abs 30 \"Plants make fantastic pets\"\n"
    "  hydrophone verify --train-seed 7 --layers 0-3 \"Hello world\"\n"
    "  hydrophone verify --mask-quantile 0.99 --skip-reference --json \"Hello world\"";

struct VerifyOptions {
  InputOptions inputs;
  std::string layers;
  float mask_abs = 0;
  std::optional<float> mask_quantile;
  std::optional<uint64_t> train_seed;
  bool skip_reference = false;
  bool json = false;
};

absl::StatusOr<v1::VerifyRequest> MakeRequest(const VerifyOptions& options, std::istream& in, RequestWords* words) {
  v1::VerifyRequest request;
  auto inputs = options.inputs.Read(in, /*none_is_fine=*/true);
  if (!inputs.ok()) return inputs.status();
  if (inputs->empty() && (options.inputs.prepend_bos || options.inputs.literal_specials)) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.inputs.prepend_bos ? "--prepend-bos" : "--literal-specials",
                     ": got no inputs, where the server verifies its own sentence; expected TEXT, --file or --jsonl"));
  }
  AddGivenInputs(*std::move(inputs), request.mutable_inputs(), words);
  const auto layers = ParseLayers(options.layers, "--layers");
  if (!layers.ok()) return layers.status();
  request.mutable_layers()->Assign(layers->begin(), layers->end());
  if (options.mask_abs > 0) request.mutable_mask()->set_max_abs(options.mask_abs);
  if (options.mask_quantile) request.mutable_mask()->set_quantile(*options.mask_quantile);
  if (options.train_seed) request.set_train_seed(*options.train_seed);
  request.set_skip_reference(options.skip_reference);
  words->Say("inputs", "all inputs together");
  words->Say("request", "all inputs together");
  words->Say("layers", OptionWords("--layers", options.layers));
  words->Say("mask.max_abs", OptionWords("--mask-abs", absl::StrCat(options.mask_abs)));
  words->Say("mask.quantile", OptionWords("--mask-quantile", absl::StrCat(options.mask_quantile.value_or(0))));
  return request;
}

// The exact ids that the server verified: no tokenizer stands between the two measurements.
std::vector<v1::Input> SameInputs(const v1::VerifyResponse& response) {
  std::vector<v1::Input> inputs;
  for (const v1::InputInfo& info : response.inputs()) {
    if (info.token_ids_size() > 0) *inputs.emplace_back().mutable_token_ids() = info.token_ids();
  }
  return inputs;
}

absl::StatusOr<OwnReconstructions> Reconstruct(Client& client, const v1::VerifyResponse& response,
                                               std::optional<uint64_t> train_seed) {
  const std::vector<v1::Input> inputs = SameInputs(response);
  std::vector<uint32_t> layers;
  for (const v1::LayerReport& layer : response.layers()) layers.push_back(layer.layer());
  OwnReconstructions own;
  const Deltas taken_up = train_seed ? Deltas::kDropped : Deltas::kProjected;
  auto measured = ReconstructLayers(client, inputs, layers, {taken_up, train_seed});
  if (!measured.ok()) return measured.status();
  own.layers = *std::move(measured);
  if (!train_seed) return own;
  measured = ReconstructLayers(client, inputs, layers, {Deltas::kProjected, train_seed});
  if (!measured.ok()) return measured.status();
  own.at_c_proj = *std::move(measured);
  return own;
}

int RunVerify(const Session& session, const VerifyOptions& options) {
  RequestWords words = RequestWords::OfCommandLine();
  const auto request = MakeRequest(options, session.in, &words);
  if (!request.ok()) return session.Refuse(request.status());
  const auto client = session.Connect();
  const auto response = client->Verify(*request);
  if (!response.ok()) return session.Fail(words.Reword(response.status()));
  auto own = Reconstruct(*client, *response, options.train_seed);
  if (!own.ok()) return session.Fail(own.status());
  const VerifyReport report(*response, *std::move(own));
  session.out << (options.json ? report.Json() : report.Text(session.style));
  return report.passed() ? kOk : kCheckFailed;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, const Session& session, Action* action) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = app.add_subcommand("verify", "Whether the numbers are right; exit status 1 when a check fails");
  options->inputs.AddTo(command);
  command->add_option("--layers", options->layers, "Layers to report, as in 10 or 0,5,-1 or 3-6; without it, all");
  CLI::Option* mask_abs = command->add_option("--mask-abs", options->mask_abs,
                                              "Leave elements of larger magnitude out of the "
                                              "masked correlations; the server's default is 30");
  mask_abs->check(CLI::PositiveNumber);
  command
      ->add_option("--mask-quantile", options->mask_quantile,
                   "The same above this quantile of the magnitudes: 0.99 keeps 99 %")
      ->check(CLI::Range(0.0, 1.0))
      ->excludes(mask_abs);
  command
      ->add_option(
          "--train-seed", options->train_seed,
          "Verify train mode, with dropout drawn from this seed: the sum closes after the dropouts, not at c_proj")
      ->check(WholeNumber(0));
  command->add_flag("--skip-reference", options->skip_reference, "Leave out the float64 reference, the slow part");
  command->add_flag("--json", options->json, "The server's answer and the client's measurements as JSON");
  command->footer(kExamples);
  command->callback([=, &session] { *action = [=, &session] { return RunVerify(session, *options); }; });
}

}  // namespace hydrophone::client
