#include "client/cpp/cli/extract_options.h"

#include <set>

#include "client/cpp/cli/whole_number.h"

namespace hydrophone::client {
namespace {

// An option that may be given often, with one value each time.
CLI::Option* AddRepeated(CLI::App* command, const char* name, std::vector<std::string>* values, const char* help) {
  return command->add_option(name, *values, help)->take_all()->expected(1)->allow_extra_args(false);
}

void AddInputs(CLI::App* command, ExtractOptions* options) {
  options->inputs.AddTo(command);
  command->add_flag("--truncate", options->truncate,
                    "Keep the first tokens of an input that is longer than the context, instead of refusing it");
  command->add_flag("--skip-bad-inputs", options->skip_bad_inputs,
                    "Go on without inputs that cannot run, and say which");
}

void AddSelection(CLI::App* command, ExtractOptions* options) {
  constexpr char kGroup[] = "What to capture";
  AddRepeated(
      command, "--hook", &options->hooks,
      "Hook point, in any spelling that `hydrophone hooks` shows; NAME@LAYERS for layers of its own. May be given "
      "often. Without it, --top-k, --tokens, --lens-..., --edit and --max-new-tokens look at hook_resid_post, last "
      "position")
      ->group(kGroup);
  command->add_option("--layers", options->layers, "Layers, as in 10 or 0,5,-1 or 3-6; without it, all")->group(kGroup);
  command
      ->add_option("--positions", options->positions,
                   "Positions: last, first, all, a list (0,-1) or a NumPy slice (-4:, ::2); without it, all")
      ->group(kGroup);
  command->add_option("--heads", options->heads, "Heads, as in 0,7 or 0-3, of points that have them")->group(kGroup);
  command->add_option("--features", options->features, "Indices along the last dimension, as in 138,378 or 0-63")
      ->group(kGroup);
  command->add_option("--reduce", options->reduce, "One row instead of the positions chosen: their mean or max")
      ->check(CLI::IsMember({"mean", "max"}))
      ->group(kGroup);
}

void AddLens(CLI::App* command, CLI::Option* project, ExtractOptions* options) {
  constexpr char kGroup[] = "What comes of it";
  CLI::Option* top_k =
      command->add_option("--top-k", options->top_k, "Logit lens: so many tokens of largest logit at each position");
  top_k->check(WholeNumber(1))->excludes(project)->group(kGroup);
  CLI::Option* tokens = command->add_option(
      "--tokens", options->tokens,
      "Logit lens: these tokens, as in ' Paris, London'; spaces count, and a whole number is an id");
  tokens->excludes(project)->group(kGroup);
  CLI::Option* entropy = command->add_flag("--lens-entropy", options->lens_entropy,
                                           "Logit lens: the entropy of its distribution at each position, in nats");
  entropy->excludes(project)->group(kGroup);
  CLI::Option* kl = command->add_flag("--lens-kl", options->lens_kl,
                                      "Logit lens: KL(final || lens) at each position, in nats, from the distribution "
                                      "that the run ends with");
  kl->excludes(project)->group(kGroup);
  CLI::Option* logits = command->add_flag("--lens-logits", options->lens_logits,
                                          "Logit lens: the logits of the whole vocabulary, an array as any other");
  logits->excludes(project)->group(kGroup);
  for (CLI::Option* scores : {top_k, tokens, entropy, kl}) logits->excludes(scores);
}

void AddForm(CLI::App* command, ExtractOptions* options) {
  constexpr char kGroup[] = "What comes of it";
  command
      ->add_option("--view", options->view,
                   "preview, summary, bytes or floats. Default: bytes with --out, floats with --json, else preview")
      ->check(CLI::IsMember({"preview", "summary", "bytes", "floats"}))
      ->group(kGroup);
  command
      ->add_option("--layout", options->layout,
                   "rows: an array a point. per-run: an array a point and input. Default: rows with --out (per-run for "
                   "attention scores and patterns), else per-run")
      ->check(CLI::IsMember({"rows", "per-run"}))
      ->group(kGroup);
  command
      ->add_option("--dtype", options->dtype,
                   "Type of the elements sent as bytes: float32 (default), float16 or bfloat16")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
      ->group(kGroup);
  command->add_option("--threshold", options->threshold, "Summary: the share of magnitudes above this")->group(kGroup);
  command->add_option("--largest", options->largest, "Summary: so many values of largest magnitude, with their places")
      ->check(WholeNumber(1))
      ->group(kGroup);
  command->add_option("--quantiles", options->quantiles, "Summary: these quantiles, as in 0.5,0.99")->group(kGroup);
  CLI::Option* project = command->add_option(
      "--project", options->project,
      "Dot products with the rows of a matrix [k,width] or with a vector [width]: FILE.npy, FILE.safetensors or "
      "FILE.safetensors:NAME");
  project->group(kGroup);
  AddLens(command, project, options);
}

void AddRuns(CLI::App* command, ExtractOptions* options) {
  constexpr char kGroup[] = "Changing the forward pass";
  CLI::Option* edit = AddRepeated(
      command, "--edit", &options->edits,
      "'HOOK[@LAYERS] [pos=POSITIONS] [heads=LIST] [features=LIST] OPERATION' with OPERATION zero, mean, scale=2, "
      "add=1.5, "
      "set=0, add=@vector.npy, set=@FILE, project-out=@direction.npy or patch=source|clean[:HOOK[@LAYER]][:POSITIONS]. "
      "May be given often: applied in this order. Shows how the edited run differs from the clean one");
  edit->group(kGroup);
  command->add_flag("--no-baseline", options->no_baseline, "With --edit: the edited run's own values, not a comparison")
      ->needs(edit)
      ->group(kGroup);
  AddRepeated(command, "--patch-from", &options->patch_from,
              "Text that patch=source reads from: one for all inputs, or given once for each")
      ->needs(edit)
      ->group(kGroup);
  AddRepeated(
      command, "--metric", &options->metrics,
      "'logit-diff( Paris, Rome)', loss or kl (with --edit: from the clean run), with @POSITIONS if liked. May be "
      "given often")
      ->group(kGroup);
  CLI::Option* seed =
      command->add_option("--train-seed", options->train_seed, "Train mode: dropout is on, drawn from this seed");
  seed->check(WholeNumber(0))->group(kGroup);
  command
      ->add_option("--max-new-tokens", options->max_new_tokens,
                   "Continue each input by so many tokens, greedily, and capture over all of it")
      ->check(WholeNumber(1))
      ->excludes(edit)
      ->excludes(seed)
      ->group(kGroup);
}

void AddOutput(CLI::App* command, ExtractOptions* options) {
  constexpr char kGroup[] = "Request and output";
  CLI::Option* request = command->add_option("--request", options->request_file,
                                             "The request as JSON, an ExtractRequest with the field names of "
                                             "extract.proto; - for standard input. Only --out, --force, "
                                             "--json, --all and --print-request go with it");
  request->group(kGroup);
  command
      ->add_flag("--print-request", options->print_request,
                 "Print the request as JSON, for --request, and do not send it (the server is asked for the ids of "
                 "tokens given as text)")
      ->group(kGroup);
  CLI::Option* json = command->add_flag("--json", options->json, "JSON lines: the messages of the answer");
  json->group(kGroup);
  CLI::Option* all = command->add_flag("--all", options->all, "In the terminal: list every input, not the first few");
  all->excludes(json)->group(kGroup);
  CLI::Option* out = command->add_option(
      "--out", options->out,
      "FILE.safetensors, or a new DIRECTORY for .npy files. Tensors only: comparisons, logit lenses, metrics "
      "and summaries go to the terminal or to --json");
  out->excludes(json)->excludes(all)->group(kGroup);
  command->add_flag("--force", options->force, "Overwrite the file of --out")->needs(out)->group(kGroup);
}

void AddBulk(CLI::App* command, ExtractOptions* options) {
  constexpr char kGroup[] = "A whole corpus";
  CLI::Option* shards = command->add_option(
      "--shards", options->shards,
      "With --jsonl FILE and --out DIRECTORY: write .safetensors files of so many inputs each (256), and index.json. "
      "Killed and started again, it goes on");
  shards->expected(0, 1)->type_name("[INPUTS]")->needs("--jsonl")->needs("--out")->group(kGroup);
  for (const char* other : {"TEXT", "--file", "--print-request", "--force"}) shards->excludes(other);
  CLI::Option* shuffle =
      command->add_option("--shuffle", options->shuffle,
                          "Another order of the inputs, and of the rows in each shard, drawn from this seed");
  shuffle->check(WholeNumber(0))->needs(shards)->group(kGroup);
  command
      ->add_option("--patience", options->patience_seconds,
                   "Seconds for which is asked again while no server answers (600)")
      ->check(CLI::NonNegativeNumber)
      ->needs(shards)
      ->group(kGroup);
}

// What makes a request of its own does not go with a file that holds one. Told at the end of the parsing and not by
// Option::excludes, which would write it beside every option of the help.
void CheckRequestStandsAlone(const CLI::App& command) {
  const std::set<std::string> allowed = {"--request", "--print-request", "--json", "--out", "--force", "--all"};
  if (command.get_option("--request")->count() == 0) return;
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() > 0 && allowed.count(option->get_name()) == 0) {
      throw CLI::ExcludesError("--request", option->get_name());
    }
  }
}

}  // namespace

void ExtractOptions::AddTo(CLI::App* command) {
  AddInputs(command, this);
  AddSelection(command, this);
  AddForm(command, this);
  AddRuns(command, this);
  AddOutput(command, this);
  AddBulk(command, this);
  command->parse_complete_callback([command] { CheckRequestStandsAlone(*command); });
}

}  // namespace hydrophone::client
