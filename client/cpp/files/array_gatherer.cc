#include "client/cpp/files/array_gatherer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace hydrophone::client {
namespace {

using Json = nlohmann::ordered_json;

std::vector<uint64_t> ShapeOf(const v1::TensorInfo& info) { return {info.shape().begin(), info.shape().end()}; }

// Whether rows of one can follow rows of the other in one array.
bool SameRows(const StoredArray& array, ElementType type, const std::vector<uint64_t>& shape) {
  return array.type == type && !shape.empty() && array.shape.size() == shape.size() &&
         std::equal(array.shape.begin() + 1, array.shape.end(), shape.begin() + 1);
}

// A segment that continues the last one makes it longer.
void AddSegment(const Segment& segment, std::vector<Segment>* segments) {
  if (!segments->empty() && segments->back().offset + segments->back().size == segment.offset) {
    segments->back().size += segment.size;
  } else {
    segments->push_back(segment);
  }
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

absl::Status ArrayGatherer::OnHeader(const v1::Header& header) {
  const v1::Provenance& now = header.provenance();
  if (request_digests_.empty()) {
    provenance_ = now;
  } else if (now.weights_sha256() != provenance_.weights_sha256() ||
             now.tokenizer_sha256() != provenance_.tokenizer_sha256() || now.numerics() != provenance_.numerics()) {
    return absl::FailedPreconditionError(absl::StrCat("another server answers now: got model ", now.model(),
                                                      " with weights ", now.weights_sha256(), " and numerics ",
                                                      now.numerics(), ", expected ", provenance_.model(), " with ",
                                                      provenance_.weights_sha256(), " and ", provenance_.numerics()));
  }
  request_digests_.push_back(now.request_sha256());
  return absl::OkStatus();
}

absl::Status ArrayGatherer::OnInput(v1::InputInfo input) {
  token_ids_.insert(token_ids_.end(), input.token_ids().begin(), input.token_ids().end());
  for (int i = 0; i < std::min(input.token_ids_size(), input.pieces_size()); ++i) {
    pieces_.try_emplace(input.token_ids(i), input.pieces(i));
  }
  inputs_.push_back(
      {input.key(), input.skipped(), static_cast<size_t>(input.token_ids_size()), input.truncated_tokens()});
  return absl::OkStatus();
}

absl::Status ArrayGatherer::OnTensor(ReceivedTensor tensor) {
  const auto found = Find(tensor);
  if (!found.ok()) return found.status();
  Gathered& gathered = **found;
  const auto shape = ShapeOf(tensor.info);
  if (!SameRows(gathered.array, ElementTypeOf(tensor.info.dtype()), shape)) {
    return absl::DataLossError(absl::StrCat(
        tensor.info.name(), ": the rows of two answers do not have one shape and type; try --layout per-run"));
  }
  gathered.array.shape[0] += shape[0];
  if (absl::Status status = CountRows(tensor.info, &gathered); !status.ok()) return status;
  const auto segment = spool_.Append(tensor.bytes.view());
  if (!segment.ok()) return segment.status();
  AddSegment(*segment, &gathered.array.segments);
  received_bytes_ += tensor.bytes.size();
  return absl::OkStatus();
}

absl::Status ArrayGatherer::OnValues(v1::Values values) {
  return absl::InvalidArgumentError(absl::StrCat(values.info().name(), ": it comes as values, not as a tensor"));
}

absl::Status ArrayGatherer::OnTrailer(const v1::Trailer& trailer) {
  nonfinite_ += trailer.nonfinite();
  return absl::OkStatus();
}

// The array that the tensor's rows belong to; a new one, with no rows yet, for a new point.
absl::StatusOr<ArrayGatherer::Gathered*> ArrayGatherer::Find(const ReceivedTensor& tensor) {
  std::string name = tensor.info.name();
  if (tensor.info.lens_logits()) name += ".lens_logits";
  if (per_run_) {
    if (tensor.info.runs_size() != 1 || tensor.info.runs(0) >= runs()) {
      return absl::DataLossError(absl::StrCat(name, ": expected the tensor of one run"));
    }
    absl::StrAppend(&name, runs_ > 0 ? ".run" : ".input", tensor.info.runs(0));
  }
  const Key key(tensor.info.selector(), name);
  if (const auto known = index_.find(key); known != index_.end()) return &gathered_[known->second];
  Gathered gathered;
  gathered.array.name = UniqueName(name, tensor.info.selector());
  gathered.array.type = ElementTypeOf(tensor.info.dtype());
  gathered.array.shape = ShapeOf(tensor.info);
  if (!gathered.array.shape.empty()) gathered.array.shape[0] = 0;
  index_[key] = gathered_.size();
  gathered_.push_back(std::move(gathered));
  return &gathered_.back();
}

std::string ArrayGatherer::UniqueName(const std::string& name, uint32_t selector) const {
  const bool taken =
      std::any_of(gathered_.begin(), gathered_.end(), [&](const Gathered& other) { return other.array.name == name; });
  return taken ? absl::StrCat(name, ".selector", selector) : name;
}

absl::Status ArrayGatherer::CountRows(const v1::TensorInfo& info, Gathered* gathered) const {
  if (per_run_) return absl::OkStatus();
  if (info.runs_size() != info.rows_size()) {
    return absl::DataLossError(
        absl::StrCat(info.name(), ": rows are told for ", info.rows_size(), " runs, expected ", info.runs_size()));
  }
  gathered->rows.resize(runs(), 0);
  uint64_t total = 0;
  for (int i = 0; i < info.runs_size(); ++i) {
    if (info.runs(i) >= runs()) return absl::DataLossError(absl::StrCat(info.name(), ": it names run ", info.runs(i)));
    gathered->rows[info.runs(i)] += info.rows(i);
    total += info.rows(i);
  }
  if (total == info.shape(0)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(info.name(), ": its runs' rows add up to ", total, ", expected ", info.shape(0)));
}

absl::Status ArrayGatherer::Store(const std::string& name, const std::vector<int64_t>& values,
                                  std::vector<StoredArray>* arrays) {
  auto stored = StoreIntegers(name, values, spool_);
  if (stored.ok()) arrays->push_back(*std::move(stored));
  return stored.status();
}

size_t ArrayGatherer::skipped() const {
  return static_cast<size_t>(
      std::count_if(inputs_.begin(), inputs_.end(), [](const Input& input) { return !input.skipped.empty(); }));
}

absl::StatusOr<std::vector<StoredArray>> ArrayGatherer::Finish() {
  std::vector<StoredArray> arrays;
  for (const Gathered& gathered : gathered_) arrays.push_back(gathered.array);
  if (absl::Status status = AddRowCounts(&arrays); !status.ok()) return status;
  if (absl::Status status = AddTokens(&arrays); !status.ok()) return status;
  return arrays;
}

absl::Status ArrayGatherer::AddRowCounts(std::vector<StoredArray>* arrays) {
  if (per_run_ || gathered_.empty()) return absl::OkStatus();
  const bool alike = std::all_of(gathered_.begin(), gathered_.end(),
                                 [&](const Gathered& other) { return other.rows == gathered_.front().rows; });
  const size_t count = alike ? 1 : gathered_.size();
  for (size_t i = 0; i < count; ++i) {
    std::vector<int64_t> rows = gathered_[i].rows;
    rows.resize(runs(), 0);
    const std::string name = alike ? "rows" : gathered_[i].array.name + ".rows";
    if (absl::Status status = Store(name, rows, arrays); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ArrayGatherer::AddTokens(std::vector<StoredArray>* arrays) {
  std::vector<int64_t> counts;
  for (const Input& input : inputs_) counts.push_back(static_cast<int64_t>(input.tokens));
  if (absl::Status status = Store("token_ids", token_ids_, arrays); !status.ok()) return status;
  return Store("token_counts", counts, arrays);
}

Metadata ArrayGatherer::DescribeSources() const {
  const Json provenance = {{"model", provenance_.model()},
                           {"weights_sha256", provenance_.weights_sha256()},
                           {"tokenizer_sha256", provenance_.tokenizer_sha256()},
                           {"numerics", provenance_.numerics()},
                           {"server_version", provenance_.server_version()},
                           {"request_sha256", request_digests_}};
  Json inputs = Json::array();
  for (const Input& input : inputs_) {
    Json entry = {{"tokens", input.tokens}};
    if (!input.key.empty()) entry["key"] = input.key;
    if (!input.skipped.empty()) entry["skipped"] = input.skipped;
    if (input.truncated_tokens > 0) entry["truncated_tokens"] = input.truncated_tokens;
    inputs.push_back(std::move(entry));
  }
  Json pieces = Json::object();
  for (const auto& [id, piece] : pieces_) pieces[absl::StrCat(id)] = piece;
  return {{"hydrophone.provenance", Dump(provenance)},
          {"hydrophone.inputs", Dump(inputs)},
          {"hydrophone.pieces", Dump(pieces)}};
}

}  // namespace hydrophone::client
