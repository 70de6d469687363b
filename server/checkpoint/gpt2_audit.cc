#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/checkpoint/convert.h"
#include "server/checkpoint/gpt2_checkpoint.h"
#include "server/checkpoint/gpt2_match.h"
#include "server/checkpoint/gpt2_parameters.h"
#include "server/checkpoint/weight_files.h"

namespace hydrophone {
namespace {

constexpr size_t kPieceElements = size_t{1} << 18;  // how many are compared at a time

// Whether the file's elements, read from the file and not through a mapping of it, are those in memory, bit for bit.
absl::StatusOr<bool> SameAsFile(absl::Span<const float> values, const SafetensorsTensor& tensor,
                                const RandomAccessFile& file) {
  const StoredType type = *StoredTypeOf(tensor.dtype);
  std::vector<char> stored;
  std::vector<float> converted;
  for (size_t first = 0; first < values.size(); first += kPieceElements) {
    const absl::Span<const float> piece = values.subspan(first, kPieceElements);
    stored.resize(piece.size() * ElementSize(type));
    converted.resize(piece.size());
    const absl::Status read = file.Read(tensor.begin + first * ElementSize(type), absl::MakeSpan(stored));
    if (!read.ok()) return read;
    ConvertToFloat32(type, {stored.data(), stored.size()}, absl::MakeSpan(converted));
    if (std::memcmp(converted.data(), piece.data(), piece.size() * sizeof(float)) != 0) return false;
  }
  return true;
}

absl::StatusOr<bool> SameAsFiles(const Gpt2Parameter& parameter, const WeightFiles& files) {
  const auto stored = files.tensors.find(parameter.name);
  if (stored == files.tensors.end() || !Fits(parameter, stored->second.tensor)) return false;
  return SameAsFile(*parameter.values, stored->second.tensor, files.files[stored->second.file]);
}

}  // namespace

absl::StatusOr<CheckpointAudit> AuditGpt2Checkpoint(const Gpt2Checkpoint& checkpoint) {
  absl::StatusOr<WeightFiles> files = OpenWeightFiles(checkpoint.directory);
  if (!files.ok()) return files.status();
  if (checkpoint.config.tie_word_embeddings) LetLmHeadBeTheEmbedding(*files);
  absl::StatusOr<std::string> digest = DigestFiles(*files);
  if (!digest.ok()) return digest.status();

  CheckpointAudit audit;
  audit.file_sha256 = *std::move(digest);
  // Gpt2Parameters takes weights that it could fill; these share the checkpoint's arrays and are only read.
  Gpt2Weights weights = checkpoint.weights;
  const bool with_lm_head = !checkpoint.config.tie_word_embeddings || files->tensors.contains("lm_head.weight");
  for (const Gpt2Parameter& parameter : Gpt2Parameters(checkpoint.config, with_lm_head, weights)) {
    const absl::StatusOr<bool> same = SameAsFiles(parameter, *files);
    if (!same.ok()) return same.status();
    if (!*same) audit.differing_parameters.push_back(parameter.name);
  }
  return audit;
}

}  // namespace hydrophone
