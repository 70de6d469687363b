// hydrophone extract: activations to the terminal or into files.
#include <memory>
#include <utility>

#include "client/cpp/cli/commands.h"
#include "client/cpp/cli/extract_options.h"
#include "client/cpp/cli/extract_request.h"
#include "client/cpp/cli/extract_to_file.h"
#include "client/cpp/cli/extract_to_json.h"
#include "client/cpp/cli/extract_to_shards.h"
#include "client/cpp/cli/extract_to_terminal.h"
#include "client/cpp/cli/request_file.h"

namespace hydrophone::client {
namespace {

constexpr char kExamples[] =
    R"(Without --out, captures are shown as short previews, and all else as tables. With it, there is one array for each
point, the rows of all inputs one after the other in input order, and an array "rows" with the number of rows of each
input; or an array for each point and input (--layout per-run). "token_ids" holds all inputs' ids one after the other, "token_counts" how many each input has. The file's
metadata, JSON texts, holds where the numbers come from (hydrophone.provenance), the request, the inputs, and
hydrophone.pieces, {ID: PIECE}: those ids as the vocabulary writes them.
With --shards, DIRECTORY/shard-00000.safetensors and so on hold an array for each point, and beside its rows "token_ids",
"positions" (in the input) and "texts" (the input's number in the corpus, from 0); index.json tells what each file has.
A logit lens is a grid for each position: a row a layer, a column a rank; with --top-k 1 over several positions, one
grid of layers and positions. Its last row is the model's own output. Probabilities from 0.25, 0.5 and 0.75 on are
shaded.
Examples:
  hydrophone extract --hook attn.c_proj --layers 10 "Hello world"
  hydrophone extract --hook hidden_states --layers=0,-1 --positions last --file prompts.txt --out states.safetensors
  hydrophone extract --hook blocks.10.hook_mlp_out --hook hidden_states@10,11 --jsonl inputs.jsonl --out captures/
  hydrophone extract --hook hook_resid_post --layers 3-6 --threshold 30 --largest 3 "Hello world"
  hydrophone extract --hook hook_resid_post --layers 6 --jsonl corpus.jsonl --shards --shuffle 1 --out states/
Heads and attention patterns (an array of each input, [heads, queries, keys]); features; means over positions:
  hydrophone extract --hook attn.hook_pattern@5 --heads 0,7 --out patterns/ "Hello world"
  hydrophone extract --hook mlp.hook_post@3 --features 138,378 --reduce mean --dtype float16 --out means/ "Hello world"
  hydrophone extract --hook hook_resid_post --project probes.npy "Hello world"
Logit lens, and metrics of the logits:
  hydrophone extract --top-k 5 "The capital of France is"
  hydrophone extract --lens-entropy --lens-kl "The capital of France is"
  hydrophone extract --lens-logits --hook hook_resid_post@3 --out lens.safetensors "The capital of France is"
  hydrophone extract --tokens ' Paris, Rome' --hook hook_resid_mid@8-11 --positions last "The capital of France is"
  hydrophone extract --metric 'logit-diff( Paris, Rome)' --metric loss "The capital of France is"
Edits, and what they change downstream of them:
  hydrophone extract --edit 'blocks.5.hook_mlp_out zero' "Hello world"
  hydrophone extract --edit 'attn.hook_z@3,5 heads=0,7 scale=0.5' --hook hook_attn_out --metric kl "Hello world"
  hydrophone extract --edit 'blocks.6.hook_resid_pre pos=3: add=@direction.npy' --top-k 5 "One two three four"
  hydrophone extract --edit 'blocks.4.hook_resid_post pos=-1 patch=source' --patch-from "The capital of Italy is" \
      --metric 'logit-diff( Paris, Rome)' "The capital of France is"
  hydrophone extract --edit 'hook_embed pos=0 zero' --no-baseline --hook hidden_states --out edited/ "Hello world"
Train mode; continuations; the request as JSON:
  hydrophone extract --train-seed 7 --hook mlp.dropout "Hello world"
  hydrophone extract --max-new-tokens 20 "Once upon a time"
  hydrophone extract --top-k 5 --print-request "Hello world" > request.json
  hydrophone extract --request request.json --json)";

absl::StatusOr<MadeRequest> Request(const Session& session, const ExtractOptions& options) {
  if (!options.request_file.empty()) {
    auto request = ReadRequestFile(options.request_file, session.in);
    if (!request.ok()) return request.status();
    RequestWords words = WordsOfFile(*request);
    return MadeRequest{*std::move(request), std::move(words)};
  }
  return MakeRequest(options, session.in,
                     [&](const v1::TokenizeRequest& request) { return session.Connect()->Tokenize(request); });
}

absl::Status CheckOutputOf(const ExtractOptions& options, const v1::ExtractRequest& request) {
  if (options.json) return CheckJson(request);
  return options.out.empty() ? absl::OkStatus() : CheckOutput(options.out, options.force, request);
}

int RunExtract(const Session& session, const ExtractOptions& options) {
  if (options.shards) return ExtractToShards(session, options);
  const auto made = Request(session, options);
  if (!made.ok()) {
    return absl::IsInvalidArgument(made.status()) ? session.Refuse(made.status()) : session.Fail(made.status());
  }
  const v1::ExtractRequest& request = made->request;
  if (options.print_request) {
    session.out << RequestJson(request);
    return kOk;
  }
  if (absl::Status status = CheckOutputOf(options, request); !status.ok()) return session.Refuse(status);
  if (options.json) return ExtractToJson(session, *made);
  return options.out.empty() ? ExtractToTerminal(session, *made, options.all)
                             : ExtractToFile(session, *made, options.out);
}

}  // namespace

void AddExtractCommand(CLI::App& app, const Session& session, Action* action) {
  auto options = std::make_shared<ExtractOptions>();
  CLI::App* command = app.add_subcommand("extract", "Activations at the hook points named");
  options->AddTo(command);
  command->footer(kExamples);
  command->callback([=, &session] { *action = [=, &session] { return RunExtract(session, *options); }; });
}

}  // namespace hydrophone::client
