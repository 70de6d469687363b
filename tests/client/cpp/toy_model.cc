#include "tests/client/cpp/toy_model.h"

#include <zlib.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone::client {
namespace {

float Attention(int32_t layer, uint32_t token) { return 0.5F * static_cast<float>(token) + static_cast<float>(layer); }
float Mlp(int32_t layer) { return 0.1F * static_cast<float>(layer) - 1.0F; }

float State(int32_t layer, uint32_t token, uint32_t unit) {
  if (layer == 0) return static_cast<float>(token + unit);
  return (State(layer - 1, token, unit) + Attention(layer - 1, token)) + Mlp(layer - 1);
}

std::vector<int32_t> LayersOf(const v1::HookSelector& hook) {
  if (hook.layers().empty()) return {0, 1};
  return {hook.layers().begin(), hook.layers().end()};
}

struct ToyRun {
  uint32_t number = 0;  // as the request numbers it
  std::vector<uint32_t> tokens;
  const v1::Run* asked = nullptr;  // null: a clean run of the input of the same number
};

// What the request asks for, flat.
struct Toy {
  std::vector<v1::Input> inputs;
  std::vector<ToyRun> runs;  // inputs without tokens make none
  std::vector<v1::HookSelector> hooks;
};

Toy Read(const v1::ExtractRequest& request) {
  Toy toy;
  for (const std::string& text : request.texts()) toy.inputs.emplace_back().set_text(text);
  toy.inputs.insert(toy.inputs.end(), request.inputs().begin(), request.inputs().end());
  const auto add_run = [&](uint32_t number, uint32_t input, const v1::Run* asked) {
    auto tokens = ToyTokens(toy.inputs[input]);
    if (!tokens.empty()) toy.runs.push_back({number, std::move(tokens), asked});
  };
  const auto count =
      static_cast<uint32_t>(request.runs().empty() ? toy.inputs.size() : static_cast<size_t>(request.runs_size()));
  for (uint32_t i = 0; i < count; ++i) {
    const v1::Run* asked = request.runs().empty() ? nullptr : &request.runs(static_cast<int>(i));
    add_run(i, asked == nullptr ? i : asked->input(), asked);
  }
  for (const std::string& name : request.hook_points()) toy.hooks.emplace_back().set_hook_point(name);
  toy.hooks.insert(toy.hooks.end(), request.hooks().begin(), request.hooks().end());
  return toy;
}

std::vector<ToyRun> Chosen(const Toy& toy, const google::protobuf::RepeatedField<uint32_t>& runs) {
  if (runs.empty()) return toy.runs;
  std::vector<ToyRun> chosen;
  for (const ToyRun& run : toy.runs) {
    if (std::find(runs.begin(), runs.end(), run.number) != runs.end()) chosen.push_back(run);
  }
  return chosen;
}

std::vector<uint32_t> Selected(std::vector<uint32_t> tokens, const v1::HookSelector& hook) {
  const bool last_only = hook.positions().at_size() == 1 && hook.positions().at(0) == -1;
  return last_only ? std::vector<uint32_t>{tokens.back()} : tokens;
}

struct Capture {
  v1::TensorInfo info;
  std::string bytes;
  std::vector<v1::Score> scores;  // instead of the tensor
  bool compared = false;          // a comparison instead of the tensor
};

// In train mode, the attention delta before its dropout is that of the next letter.
void AppendRows(const std::vector<uint32_t>& tokens, const std::string& hook_point, int32_t layer, bool train,
                Capture* capture) {
  for (const uint32_t token : tokens) {
    const auto row = ToyRow(hook_point, layer, train && hook_point == "attn.c_proj" ? token + 1 : token);
    capture->bytes.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(float));
  }
  capture->info.set_shape(0, capture->info.shape(0) + static_cast<uint32_t>(tokens.size()));
}

Capture NewCapture(uint32_t selector, const v1::HookSelector& hook, int32_t layer) {
  Capture capture;
  capture.info.set_name(absl::StrCat("blocks.", layer, ".", hook.hook_point()));
  capture.info.set_layer(layer);
  capture.info.set_selector(selector);
  capture.info.set_dtype(v1::DTYPE_FLOAT32);
  capture.info.add_shape(0);
  capture.info.add_shape(kToyWidth);
  return capture;
}

v1::Score ScoreOf(const ToyRun& run, uint32_t rank) {
  v1::Score score;
  score.set_run(run.number);
  score.set_position(static_cast<uint32_t>(run.tokens.size()) - 1);
  score.set_token_id(rank);
  score.set_piece(absl::StrCat("piece", rank));
  score.set_value(10.0F - static_cast<float>(rank));
  score.set_logprob(-0.5F);
  score.set_rank(rank);
  return score;
}

// A tensor of one run: what comes instead of it, too.
void FillPerRun(const v1::HookSelector& hook, const ToyRun& run, int32_t layer, bool train, Capture* capture) {
  capture->info.add_runs(run.number);
  AppendRows(Selected(run.tokens, hook), hook.hook_point(), layer, train, capture);
  for (uint32_t rank = 0; rank < hook.logit_lens().top_k(); ++rank) capture->scores.push_back(ScoreOf(run, rank));
  if (run.asked == nullptr || !run.asked->has_baseline()) return;
  capture->compared = true;
  capture->info.set_baseline(run.asked->baseline());
}

std::vector<Capture> Captures(const v1::ExtractRequest& request, const Toy& toy) {
  std::vector<Capture> captures;
  for (uint32_t s = 0; s < toy.hooks.size(); ++s) {
    const v1::HookSelector& hook = toy.hooks[s];
    for (const int32_t layer : LayersOf(hook)) {
      if (request.layout() == v1::LAYOUT_ROWS) captures.push_back(NewCapture(s, hook, layer));
      for (const ToyRun& run : Chosen(toy, hook.runs())) {
        if (request.layout() != v1::LAYOUT_ROWS) {
          FillPerRun(hook, run, layer, request.has_train_seed(), &captures.emplace_back(NewCapture(s, hook, layer)));
          continue;
        }
        const auto tokens = Selected(run.tokens, hook);
        captures.back().info.add_rows(static_cast<uint32_t>(tokens.size()));
        if (!hook.runs().empty()) captures.back().info.add_runs(run.number);
        AppendRows(tokens, hook.hook_point(), layer, request.has_train_seed(), &captures.back());
      }
    }
  }
  for (const v1::Metric& metric : request.metrics()) {
    for (const ToyRun& run : Chosen(toy, metric.runs())) {
      Capture& capture = captures.emplace_back();
      capture.info.add_runs(run.number);
      capture.scores.push_back(ScoreOf(run, 0));
      capture.scores.back().set_metric(metric.key());
    }
  }
  return captures;
}

void AddChunks(uint32_t tensor, const Capture& capture, size_t chunk_rows, std::vector<v1::ExtractResponse>* stream) {
  const size_t chunk_bytes = chunk_rows * kToyWidth * sizeof(float);
  size_t offset = 0;
  do {
    auto message = ToyChunk(tensor, offset, capture.bytes.substr(offset, chunk_bytes));
    if (offset == 0) *message.mutable_chunk()->mutable_info() = capture.info;
    stream->push_back(std::move(message));
    offset += chunk_bytes;
  } while (offset < capture.bytes.size());
}

v1::ExtractResponse ValuesMessage(uint32_t tensor, const Capture& capture, v1::View view) {
  v1::ExtractResponse message;
  v1::Values* values = message.mutable_values();
  values->set_tensor(tensor);
  *values->mutable_info() = capture.info;
  values->mutable_scores()->Assign(capture.scores.begin(), capture.scores.end());
  if (capture.compared) {
    values->mutable_comparison()->set_difference_l2(1.5);
    values->mutable_comparison()->set_cosine(0.75);
  } else if (!capture.scores.empty()) {
    return message;
  } else if (view == v1::VIEW_SUMMARY) {
    values->mutable_summary()->set_mean(0.25);
  } else {
    values->set_preview("[[1. 2. 3.]]");
  }
  return message;
}

}  // namespace

v1::GetModelResponse ToyModel() {
  v1::GetModelResponse response;
  response.mutable_model()->set_name("toy");
  response.mutable_model()->set_n_layer(kToyLayers);
  response.mutable_model()->set_n_embd(kToyWidth);
  response.mutable_model()->set_n_positions(1024);
  response.mutable_model()->set_weights_sha256("abc");
  response.mutable_compute()->set_numerics("toy numerics");
  v1::Limits* limits = response.mutable_limits();
  limits->set_max_inputs_per_request(1000);
  limits->set_max_tokens_per_request(1000000);
  limits->set_max_request_bytes(1 << 20);
  limits->set_max_request_elements(1 << 20);
  limits->set_max_message_bytes(1 << 20);
  return response;
}

std::vector<uint32_t> ToyTokens(const v1::Input& input) {
  std::vector<uint32_t> tokens(input.token_ids().begin(), input.token_ids().end());
  for (const char c : absl::StrCat(input.text(), input.raw_text())) tokens.push_back(static_cast<unsigned char>(c));
  return tokens;
}

std::vector<float> ToyRow(const std::string& hook_point, int32_t layer, uint32_t token) {
  std::vector<float> row;
  for (uint32_t unit = 0; unit < kToyWidth; ++unit) {
    if (hook_point == "attn.c_proj" || hook_point == "attn.resid_dropout") {
      row.push_back(Attention(layer, token));
    } else if (hook_point == "mlp.c_proj" || hook_point == "mlp.dropout") {
      row.push_back(Mlp(layer));
    } else if (hook_point == "hook_resid_post") {
      row.push_back(State(layer + 1, token, unit));
    } else if (layer == static_cast<int32_t>(kToyLayers)) {
      row.push_back(0);  // hidden_states[N] is normalised: not the last block's output
    } else {
      row.push_back(State(layer, token, unit));
    }
  }
  return row;
}

std::vector<v1::GetParametersResponse> ToyParameters(const v1::GetParametersRequest& request) {
  constexpr uint64_t kBytes = 2 * 2 * kToyWidth * sizeof(float);
  std::vector<v1::GetParametersResponse> messages(1);
  v1::ParametersHeader* header = messages[0].mutable_header();
  header->mutable_provenance()->set_model("toy");
  header->set_tensors(2);
  header->set_data_bytes(kBytes);
  const std::vector<std::string> names = {"transformer.wte.weight", "lm_head.weight"};
  for (uint32_t tensor = 0; tensor < names.size(); ++tensor) {
    v1::ParameterInfo* info = header->add_parameters();
    info->set_name(names[tensor]);
    info->add_shape(2);
    info->add_shape(kToyWidth);
    if (tensor > 0) info->set_tied_to(names[0]);
  }
  for (uint32_t piece = 0; piece < 4 && !request.list_only(); ++piece) {
    const uint32_t row = piece % 2;
    std::vector<float> values(kToyWidth);
    std::iota(values.begin(), values.end(), static_cast<float>(row * kToyWidth));
    std::string data(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    v1::Chunk* chunk = messages.emplace_back().mutable_chunk();
    *chunk = ToyChunk(piece / 2, row * data.size(), data).chunk();
    if (row > 0) continue;
    chunk->mutable_info()->set_name(names[piece / 2]);
    chunk->mutable_info()->set_dtype(v1::DTYPE_FLOAT32);
    chunk->mutable_info()->add_shape(2);
    chunk->mutable_info()->add_shape(kToyWidth);
  }
  v1::ParametersTrailer* trailer = messages.emplace_back().mutable_trailer();
  if (!request.list_only()) {
    trailer->set_tensors(2);
    trailer->set_data_bytes(kBytes);
  }
  return messages;
}

v1::ExtractResponse ToyChunk(uint32_t tensor, uint64_t offset, std::string data) {
  v1::ExtractResponse message;
  v1::Chunk* chunk = message.mutable_chunk();
  chunk->set_tensor(tensor);
  chunk->set_offset(offset);
  chunk->set_crc32(static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size())));
  chunk->set_data(std::move(data));
  return message;
}

std::vector<v1::ExtractResponse> ToyStream(const v1::ExtractRequest& request, size_t chunk_rows) {
  const Toy toy = Read(request);
  const auto captures = Captures(request, toy);
  const auto is_bytes = [&](const Capture& capture) {
    const bool asked = request.view() == v1::VIEW_UNSPECIFIED || request.view() == v1::VIEW_BYTES;
    return asked && !capture.compared && capture.scores.empty();
  };
  uint64_t data_bytes = 0;
  for (const Capture& capture : captures) data_bytes += is_bytes(capture) ? capture.bytes.size() : 0;
  std::vector<v1::ExtractResponse> stream(1);
  v1::Header* header = stream[0].mutable_header();
  header->mutable_provenance()->set_model("toy");
  header->mutable_provenance()->set_weights_sha256("abc");
  header->mutable_provenance()->set_numerics("toy numerics");
  header->mutable_provenance()->set_request_sha256(absl::StrCat("request of ", toy.inputs.size()));
  header->set_inputs(static_cast<uint32_t>(toy.inputs.size()));
  header->set_runs(static_cast<uint32_t>(toy.runs.size()));
  header->set_tensors(static_cast<uint32_t>(captures.size()));
  header->set_data_bytes(data_bytes);
  for (uint32_t i = 0; i < toy.inputs.size(); ++i) {
    v1::InputInfo* info = stream.emplace_back().mutable_input();
    info->set_index(i);
    info->set_key(toy.inputs[i].key());
    for (const uint32_t token : ToyTokens(toy.inputs[i])) info->add_token_ids(token);
    if (info->token_ids().empty()) info->set_skipped("no tokens");
  }
  if (request.validate_only()) return stream;
  for (uint32_t tensor = 0; tensor < captures.size(); ++tensor) {
    if (is_bytes(captures[tensor])) {
      AddChunks(tensor, captures[tensor], chunk_rows, &stream);
    } else {
      stream.push_back(ValuesMessage(tensor, captures[tensor], request.view()));
    }
  }
  v1::Trailer* trailer = stream.emplace_back().mutable_trailer();
  trailer->set_tensors(header->tensors());
  trailer->set_data_bytes(data_bytes);
  return stream;
}

}  // namespace hydrophone::client
