#include "client/cpp/bulk/shard.h"

#include <algorithm>
#include <fstream>
#include <ios>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/cpp/bulk/chosen_positions.h"
#include "client/cpp/files/atomic_output.h"
#include "client/cpp/files/safetensors_writer.h"
#include "server/base/bounded_json.h"
#include "server/base/safetensors_header.h"

namespace hydrophone::client {
namespace {

using Json = nlohmann::json;

constexpr char kDescription[] = "hydrophone.shard";

v1::ExtractRequest InRows() {
  v1::ExtractRequest request;
  request.set_layout(v1::LAYOUT_ROWS);
  return request;
}

// "inputs[3]: ..." with the text's number in the corpus: "corpus[17]: ...".
std::string InTheCorpus(const std::string& why, size_t text) {
  const std::string kInput = "inputs[";
  const size_t begin = why.find(kInput);
  const size_t end = begin == std::string::npos ? begin : why.find(']', begin);
  if (end == std::string::npos) return why;
  return absl::StrCat(why.substr(0, begin), "corpus[", text, "]", why.substr(end + 1));
}

// The rows of an array, or of the numbers beside them, in another order.
StoredArray InOrder(const StoredArray& array, const std::vector<size_t>& order) {
  const uint64_t row_bytes = order.empty() ? 0 : array.size() / order.size();
  std::vector<Segment> rows;
  for (const Segment& segment : array.segments) {
    for (uint64_t at = 0; at < segment.size; at += row_bytes) rows.push_back({segment.offset + at, row_bytes});
  }
  StoredArray ordered{array.name, array.type, array.shape, {}};
  for (const size_t row : order) ordered.segments.push_back(rows[row]);
  return ordered;
}

absl::Status NoShard(const std::string& path) {
  return absl::DataLossError(absl::StrCat(path, " is no shard of a bulk job"));
}

// The JSON at a safetensors file's beginning, of which every array has a type and a shape.
absl::StatusOr<Json> HeaderOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<uint64_t>(std::max<std::streamoff>(file.tellg(), 0));
  std::string text(kSafetensorsLengthBytes, '\0');
  file.seekg(0).read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto head = SafetensorsHeadSize(absl::string_view(text).substr(0, static_cast<size_t>(file.gcount())), size);
  if (!file || !head.ok()) return NoShard(path);
  text.resize(*head);
  file.seekg(0).read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file || !ParseSafetensorsHeader(text, size).ok()) return NoShard(path);
  auto header = ParseBoundedJson(absl::string_view(text).substr(kSafetensorsLengthBytes));
  return header.ok() ? std::move(header) : NoShard(path);
}

}  // namespace

Shard::Shard(const Job& job, std::string directory, const std::vector<size_t>& texts, Spool* spool)
    : job_(job), directory_(std::move(directory)), texts_(texts), spool_(*spool), arrays_(InRows(), spool) {}

absl::Status Shard::OnHeader(const v1::Header& header) {
  if (absl::Status status = job_.Check(header.provenance(), directory_); !status.ok()) return status;
  return arrays_.OnHeader(header);
}

absl::Status Shard::OnInput(v1::InputInfo input) {
  if (rows_of_.size() == texts_.size()) return absl::DataLossError("the answer has more inputs than the request");
  const size_t text = texts_[rows_of_.size()];
  const auto tokens = static_cast<size_t>(input.token_ids_size());
  tokens_ += tokens;
  std::vector<int64_t> chosen;
  if (input.skipped().empty()) {
    chosen = ChosenPositions(job_.request.hooks(0).positions(), tokens);
  } else {
    skipped_[absl::StrCat(text)] = InTheCorpus(input.skipped(), text);
  }
  rows_of_.push_back(static_cast<int64_t>(chosen.size()));
  for (const int64_t position : chosen) {
    if (position < 0 || position >= input.token_ids_size()) {
      return absl::DataLossError(
          absl::StrCat("text ", text, " has ", tokens, " tokens, and rows of position ", position));
    }
    token_ids_.push_back(input.token_ids(static_cast<int>(position)));
    positions_.push_back(position);
    text_numbers_.push_back(static_cast<int64_t>(text));
  }
  return arrays_.OnInput(std::move(input));
}

absl::Status Shard::OnTensor(ReceivedTensor tensor) { return arrays_.OnTensor(std::move(tensor)); }

absl::Status Shard::OnValues(v1::Values values) { return arrays_.OnValues(std::move(values)); }

absl::Status Shard::OnTrailer(const v1::Trailer& trailer) { return arrays_.OnTrailer(trailer); }

absl::Status Shard::CheckRows(const ArrayGatherer::Gathered& gathered) const {
  std::vector<int64_t> rows = gathered.rows;
  rows.resize(rows_of_.size(), 0);
  if (rows == rows_of_) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      gathered.array.name, " has other rows than its texts have chosen positions, expected a row for each of them"));
}

absl::Status Shard::Write(const std::string& path, size_t shard) {
  std::vector<StoredArray> arrays;
  for (const ArrayGatherer::Gathered& gathered : arrays_.gathered()) {
    if (absl::Status status = CheckRows(gathered); !status.ok()) return status;
    arrays.push_back(gathered.array);
  }
  const std::pair<const char*, const std::vector<int64_t>*> by_row[] = {
      {"token_ids", &token_ids_}, {"positions", &positions_}, {"texts", &text_numbers_}};
  for (const auto& [name, values] : by_row) {
    auto stored = StoreIntegers(name, *values, spool_);
    if (!stored.ok()) return stored.status();
    arrays.push_back(*std::move(stored));
  }
  if (const auto order = job_.RowsOrder(shard, token_ids_.size())) {
    for (StoredArray& array : arrays) array = InOrder(array, *order);
  }
  std::sort(arrays.begin(), arrays.end(), [](const StoredArray& a, const StoredArray& b) { return a.name < b.name; });
  auto output = AtomicFile::CreateAlone(path);
  if (!output.ok()) return output.status();
  const Metadata metadata = {{kDescription, Description().dump(-1, ' ', true, Json::error_handler_t::replace)}};
  return WriteSafetensors(**output, arrays, metadata, spool_);
}

Json Shard::Description() const {
  return {{"rows", token_ids_.size()}, {"skipped", skipped_}, {"texts", texts_.size()}};
}

absl::StatusOr<ShardHeader> ReadShardHeader(const std::string& path) {
  const auto header = HeaderOf(path);
  if (!header.ok()) return header.status();
  const Json metadata = header->value(kSafetensorsMetadata, Json::object());
  const auto description = ParseBoundedJson(metadata.value(kDescription, ""));
  if (!description.ok()) return NoShard(path);
  ShardHeader found{Json::object(), *description};
  for (const auto& [name, array] : header->items()) {
    if (name == kSafetensorsMetadata) continue;
    Json row = Json::array();
    for (size_t i = 1; i < array["shape"].size(); ++i) row.push_back(array["shape"][i]);
    found.arrays[name] = {{"dtype", array["dtype"]}, {"row", row}};
  }
  return found;
}

}  // namespace hydrophone::client
