#include "client/cpp/cli/extract_options.h"

#include <map>
#include <utility>

#include "client/cpp/cli/extract_to_file.h"
#include "client/cpp/cli/selection.h"

namespace hydrophone::client {
namespace {

const std::map<std::string, v1::Layout>& Layouts() {
  static const auto* const layouts = new std::map<std::string, v1::Layout>{
      {"rows", v1::LAYOUT_ROWS}, {"per-run", v1::LAYOUT_PER_RUN}};
  return *layouts;
}

const std::map<std::string, v1::View>& Views() {
  static const auto* const views = new std::map<std::string, v1::View>{
      {"preview", v1::VIEW_PREVIEW}, {"summary", v1::VIEW_SUMMARY}, {"bytes", v1::VIEW_BYTES}};
  return *views;
}

const std::map<std::string, v1::Dtype>& Dtypes() {
  static const auto* const dtypes =
      new std::map<std::string, v1::Dtype>{{"float32", v1::DTYPE_FLOAT32},
                                           {"float16", v1::DTYPE_FLOAT16},
                                           {"bfloat16", v1::DTYPE_BFLOAT16}};
  return *dtypes;
}

absl::Status AddHooks(const ExtractOptions& options, v1::ExtractRequest* request) {
  const auto layers = ParseLayers(options.layers);
  if (!layers.ok()) return layers.status();
  for (const std::string& text : options.hooks) {
    auto hook = ParseHook(text, *layers);
    if (!hook.ok()) return hook.status();
    if (!options.positions.empty()) {
      auto positions = ParsePositions(options.positions);
      if (!positions.ok()) return positions.status();
      *hook->mutable_positions() = *std::move(positions);
    }
    *request->add_hooks() = *std::move(hook);
  }
  return absl::OkStatus();
}

absl::Status CheckOut(const ExtractOptions& options) {
  if (options.out.empty()) return absl::OkStatus();
  if (!options.view.empty() && options.view != "bytes")
    return absl::InvalidArgumentError("--out takes --view bytes only");
  return CheckOutput(options.out, options.dtype == "bfloat16");
}

}  // namespace

void ExtractOptions::AddTo(CLI::App* command) {
  inputs.AddTo(command);
  command->add_flag(
      "--truncate", truncate,
      "Keep the first tokens of an input that is longer than the context, instead of refusing it");
  command->add_flag("--skip-bad-inputs", skip_bad_inputs,
                    "Go on without inputs that cannot run, and say which");
  command
      ->add_option("--hook", hooks,
                   "Hook point, in any spelling that `hydrophone hooks` shows; NAME@LAYERS for "
                   "layers of its own. May be given often")
      ->required()
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  command->add_option("--layers", layers, "Layers, as in 10 or 0,5,-1 or 3-6; without it, all");
  command->add_option(
      "--positions", positions,
      "Positions: last, a list (0,-1) or a NumPy slice (-4:, ::2); without it, all");
  command
      ->add_option("--layout", layout,
                   "rows: an array a point. per-run: an array a point and input. Default: rows "
                   "with --out, else per-run")
      ->check(CLI::IsMember({"rows", "per-run"}));
  command
      ->add_option("--view", view,
                   "What comes: preview, summary or bytes. Default: bytes with --out, else preview")
      ->check(CLI::IsMember({"preview", "summary", "bytes"}));
  command->add_option("--dtype", dtype, "Type of the elements sent")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
      ->capture_default_str();
  command->add_option("--out", out, "FILE.safetensors, or a new DIRECTORY for .npy files");
}

absl::StatusOr<v1::ExtractRequest> ExtractOptions::MakeRequest(std::istream& standard_input) const {
  if (absl::Status status = CheckOut(*this); !status.ok()) return status;
  v1::ExtractRequest request;
  if (absl::Status status = AddHooks(*this, &request); !status.ok()) return status;
  auto read = inputs.Read(standard_input);
  if (!read.ok()) return read.status();
  for (v1::Input& input : *read) {
    input.set_truncate(truncate);
    *request.add_inputs() = std::move(input);
  }
  const bool to_file = !out.empty();
  request.set_layout(Layouts().at(!layout.empty() ? layout : to_file ? "rows" : "per-run"));
  request.set_view(Views().at(!view.empty() ? view : to_file ? "bytes" : "preview"));
  request.set_dtype(Dtypes().at(dtype));
  request.set_skip_bad_inputs(skip_bad_inputs);
  return request;
}

}  // namespace hydrophone::client
