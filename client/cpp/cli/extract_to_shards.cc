#include "client/cpp/cli/extract_to_shards.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/bulk/bulk.h"
#include "client/cpp/bulk/corpus.h"
#include "client/cpp/bulk/meter.h"
#include "client/cpp/bulk/patience.h"
#include "client/cpp/cli/extract_request.h"
#include "client/cpp/cli/request_kinds.h"
#include "client/cpp/extract_all.h"

namespace hydrophone::client {
namespace {

constexpr size_t kTextsPerShard = 256;

absl::StatusOr<size_t> TextsPerShard(const std::string& given) {
  size_t texts = kTextsPerShard;
  if (given.empty() || (absl::SimpleAtoi(given, &texts) && texts > 0)) return texts;
  return absl::InvalidArgumentError(
      absl::StrCat("--shards: got \"", given, "\", expected how many inputs a shard has, a whole number from 1"));
}

// What a shard cannot hold: it has a row for each chosen position of each input.
absl::Status CheckRows(const ExtractOptions& options, const v1::ExtractRequest& request) {
  const auto refuse = [](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("--shards writes a row for each position that is chosen: ", what));
  };
  if (SendsValues(request)) return refuse("it takes tensors as bytes, as --out does without it");
  if (request.layout() != v1::LAYOUT_ROWS) return refuse("--layout per-run, attention scores and patterns have none");
  if (!options.reduce.empty()) return refuse("--reduce leaves none");
  if (options.max_new_tokens > 0) return refuse("it cannot hold --max-new-tokens");
  if (request.runs_size() > 1) return refuse("edits that patch from another run, and clean runs, have others");
  return absl::OkStatus();
}

// The client, the corpus and the options, of which each shard's request is made.
class Asking {
 public:
  Asking(const Session& session, const ExtractOptions& options, const Corpus& corpus)
      : options_(options), corpus_(corpus), client_(session.Connect()) {}

  Client& client() const { return *client_; }

  // The request without its texts.
  absl::StatusOr<MadeRequest> Template() const {
    GivenInput placeholder;
    placeholder.input.add_token_ids(0);
    auto made = Make({std::move(placeholder)});
    if (!made.ok()) return made;
    v1::ExtractRequest& request = made->request;
    request.mutable_inputs(0)->clear_token_ids();
    // Which inputs are left out changes no bit of the others.
    request.clear_skip_bad_inputs();
    // Stated or left out, what is usual is one job.
    if (request.view() == v1::VIEW_BYTES) request.clear_view();
    if (request.dtype() == v1::DTYPE_FLOAT32) request.clear_dtype();
    return made;
  }

  absl::Status Ask(const std::vector<size_t>& texts, ExtractSink* sink) const {
    std::vector<GivenInput> inputs;
    inputs.reserve(texts.size());
    for (const size_t text : texts) {
      auto read = corpus_.Read(text);
      if (!read.ok()) return read.status();
      inputs.push_back({std::move(read->input), std::move(read->words), Rest::kNamed});
    }
    const auto made = Make(std::move(inputs));
    if (!made.ok()) return made.status();
    const absl::Status status = ExtractAll(*client_, made->request, sink);
    return status.ok() ? status : made->words.Reword(status);
  }

 private:
  absl::StatusOr<MadeRequest> Make(std::vector<GivenInput> inputs) const {
    for (GivenInput& given : inputs) {
      given.input.set_prepend_bos(options_.inputs.prepend_bos);
      given.input.set_literal_specials(options_.inputs.literal_specials);
    }
    return MakeRequestOver(options_, std::move(inputs),
                           [&](const v1::TokenizeRequest& request) { return client_->Tokenize(request); });
  }

  const ExtractOptions& options_;
  const Corpus& corpus_;
  const std::unique_ptr<Client> client_;
};

v1::Provenance ModelOf(const v1::GetModelResponse& described) {
  v1::Provenance model;
  model.set_model(described.model().name());
  model.set_weights_sha256(described.model().weights_sha256());
  model.set_tokenizer_sha256(described.model().tokenizer_sha256());
  model.set_numerics(described.compute().numerics());
  return model;
}

int EndOf(const Session& session, const absl::Status& status) {
  return absl::IsInvalidArgument(status) && status.message().substr(0, 2) == "--" ? session.Refuse(status)
                                                                                  : session.Fail(status);
}

void PrintDone(const Session& session, const ExtractOptions& options, const Corpus& corpus, const BulkDone& done) {
  session.out << "written to " << options.out << ": " << done.shards << " shards, " << done.rows << " rows of "
              << corpus.size() << " inputs, " << SizeText(done.bytes) << "\n";
  if (!done.skipped.empty()) {
    session.err << "hydrophone: " << done.skipped.size() << " inputs were skipped; index.json says why\n";
  }
}

}  // namespace

int ExtractToShards(const Session& session, const ExtractOptions& options) {
  const auto texts_per_shard = TextsPerShard(*options.shards);
  if (!texts_per_shard.ok()) return session.Refuse(texts_per_shard.status());
  const auto corpus = Corpus::Open(options.inputs.sources.jsonl_file);
  if (!corpus.ok()) return session.Refuse(corpus.status());
  const Asking asking(session, options, **corpus);
  const auto made = asking.Template();
  if (!made.ok()) {
    return absl::IsInvalidArgument(made.status()) ? session.Refuse(made.status()) : session.Fail(made.status());
  }
  if (absl::Status status = CheckRows(options, made->request); !status.ok()) return session.Refuse(status);
  BulkOptions how;
  how.patience = absl::Seconds(options.patience_seconds);
  how.progress = &session.err;
  absl::StatusOr<v1::GetModelResponse> described;
  absl::Status status = AskPatiently(
      [&] {
        described = asking.client().Model();
        return described.status();
      },
      how.patience, how.now, how.sleep);
  if (!status.ok()) return session.Fail(status);
  const Job job{made->request,    (*corpus)->digest(), (*corpus)->size(),
                *texts_per_shard, options.shuffle,     ModelOf(*described)};
  const auto done = MakeShards(
      job, options.out, [&](const std::vector<size_t>& texts, ExtractSink* sink) { return asking.Ask(texts, sink); },
      how);
  if (!done.ok()) return EndOf(session, done.status());
  PrintDone(session, options, **corpus, *done);
  return kOk;
}

}  // namespace hydrophone::client
