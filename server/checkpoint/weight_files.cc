#include "server/checkpoint/weight_files.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/messages.h"
#include "server/base/read_file.h"
#include "server/base/sha256.h"
#include "server/checkpoint/shard_index.h"
#include "server/checkpoint/tensor_names.h"

namespace hydrophone {
namespace {

namespace fs = std::filesystem;

constexpr char kSingleFile[] = "model.safetensors";
constexpr char kIndexFile[] = "model.safetensors.index.json";
constexpr char kAdapterFile[] = "adapter_config.json";
constexpr uint64_t kMaxIndexBytes = uint64_t{16} << 20;
constexpr uint64_t kFirstBytes = 64;                 // enough to know what a file is
constexpr uint64_t kPieceBytes = uint64_t{1} << 20;  // how many are read at a time for a digest

// Tensor name -> file name; empty for a single file, which needs no index.
using ShardOf = std::map<std::string, std::string>;

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::string InDirectory(const std::string& directory, absl::string_view name) {
  return absl::StrCat(directory, "/", name);
}

bool IsPickle(absl::string_view name) {
  return absl::EndsWith(name, ".bin") || absl::EndsWith(name, ".pt") || absl::EndsWith(name, ".pth") ||
         absl::EndsWith(name, ".ckpt") || absl::EndsWith(name, ".pkl");
}

// The error for a directory without a safetensors file.
absl::Status NoWeights(const std::string& directory) {
  std::error_code error;
  std::set<std::string> pickles;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (IsPickle(name)) pickles.insert(name);
  }
  if (error) return absl::NotFoundError(absl::StrCat(Printable(directory), ": ", error.message()));
  if (pickles.empty()) {
    return absl::NotFoundError(absl::StrCat(Printable(directory), ": has neither ", kSingleFile, " nor ", kIndexFile));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      Printable(directory), ": has its weights in ", Printable(*pickles.begin()),
      ", which can run code when it is read; convert it where you trust it: python -c \"import transformers as t; "
      "t.GPT2LMHeadModel.from_pretrained('OLD').save_pretrained('NEW'); "
      "t.GPT2Tokenizer.from_pretrained('OLD').save_pretrained('NEW')\" writes ",
      kSingleFile, " and the tokenizer"));
}

absl::StatusOr<ShardOf> ReadIndex(const std::string& directory) {
  const absl::StatusOr<std::string> text = ReadSmallFile(InDirectory(directory, kIndexFile), kMaxIndexBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<ShardOf> shard_of = ParseShardIndex(*text);
  if (!shard_of.ok()) return Annotate(shard_of.status(), kIndexFile);
  return shard_of;
}

absl::StatusOr<std::vector<SafetensorsTensor>> ReadHeader(const RandomAccessFile& file) {
  std::string head(std::min(file.size(), kFirstBytes), '\0');
  if (absl::Status status = file.Read(0, absl::MakeSpan(head)); !status.ok()) return status;
  if (IsLfsPointer(head)) return absl::InvalidArgumentError(kLfsPointer);
  const absl::StatusOr<uint64_t> head_size = SafetensorsHeadSize(head, file.size());
  if (!head_size.ok()) return head_size.status();
  head.resize(*head_size);
  if (absl::Status status = file.Read(0, absl::MakeSpan(head)); !status.ok()) return status;
  return ParseSafetensorsHeader(head, file.size());
}

// Takes the tensors of one file after the other, and notes what does not fit together.
class Gatherer {
 public:
  explicit Gatherer(const ShardOf& shard_of) : shard_of_(shard_of) {}

  absl::Status AddFile(const std::string& directory, const std::string& name) {
    absl::StatusOr<RandomAccessFile> file = RandomAccessFile::Open(InDirectory(directory, name));
    if (!file.ok()) return file.status();
    absl::StatusOr<std::vector<SafetensorsTensor>> tensors = ReadHeader(*file);
    if (!tensors.ok()) return Annotate(tensors.status(), name);
    for (SafetensorsTensor& tensor : *tensors) AddTensor(name, std::move(tensor));
    gathered_.files.push_back(*std::move(file));
    return absl::OkStatus();
  }

  absl::StatusOr<WeightFiles> Finish() {
    NameTensors();
    NamedThings absent;
    for (const auto& [tensor, shard] : shard_of_) {
      if (!seen_.contains(tensor)) absent.Add(absl::StrCat(Printable(tensor), " in ", shard));
    }
    std::string problems;
    if (!twice_.empty()) absl::StrAppend(&problems, "; ", twice_.Text("there twice"));
    if (!misplaced_.empty()) absl::StrAppend(&problems, "; ", misplaced_.Text("not where the index says"));
    if (!absent.empty()) absl::StrAppend(&problems, "; ", absent.Text("in the index but not in its file"));
    if (problems.empty()) return std::move(gathered_);
    return absl::InvalidArgumentError(absl::StrCat("the files' tensors do not fit together", problems));
  }

 private:
  void AddTensor(const std::string& file_name, SafetensorsTensor tensor) {
    if (!shard_of_.empty()) CheckPlace(file_name, tensor.name);
    found_.push_back({std::move(tensor), gathered_.files.size()});
  }

  // Files the tensors under their bare names.
  void NameTensors() {
    std::vector<std::string> names;
    for (const StoredTensor& stored : found_) names.push_back(stored.tensor.name);
    const std::string prefix = WrapperPrefix(names);
    NamedThings heads;
    for (StoredTensor& stored : found_) {
      const std::string name = BareName(stored.tensor.name, prefix);
      if (IsOldBuffer(name)) continue;
      if (IsOtherHead(name)) {
        heads.Add(Printable(name));
      } else if (!gathered_.tensors.emplace(name, std::move(stored)).second) {
        twice_.Add(Printable(name));
      }
    }
    if (!prefix.empty()) gathered_.notes.push_back(absl::StrCat("left ", prefix, " off the names of all tensors"));
    if (!heads.empty()) gathered_.notes.push_back(heads.Text("of another head left out"));
  }

  void CheckPlace(const std::string& file_name, const std::string& tensor) {
    const auto place = shard_of_.find(tensor);
    if (place == shard_of_.end() || place->second != file_name) {
      misplaced_.Add(absl::StrCat(Printable(tensor), " in ", file_name));
    }
    seen_.insert(tensor);
  }

  const ShardOf& shard_of_;
  WeightFiles gathered_;
  std::vector<StoredTensor> found_;  // in the order of the files
  std::set<std::string> seen_;       // tensors as the files name them; only with an index
  NamedThings twice_;
  NamedThings misplaced_;
};

}  // namespace

absl::StatusOr<WeightFiles> OpenWeightFiles(const std::string& directory) {
  if (Exists(InDirectory(directory, kAdapterFile))) {
    return absl::InvalidArgumentError(
        absl::StrCat(Printable(directory), ": has ", kAdapterFile,
                     ", whose adapter would change the weights; merge it into them first"));
  }
  const bool single = Exists(InDirectory(directory, kSingleFile));
  if (!single && !Exists(InDirectory(directory, kIndexFile))) return NoWeights(directory);

  ShardOf shard_of;
  std::set<std::string> names = {kSingleFile};
  if (!single) {
    absl::StatusOr<ShardOf> index = ReadIndex(directory);
    if (!index.ok()) return index.status();
    shard_of = *std::move(index);
    names.clear();
    for (const auto& [tensor, shard] : shard_of) names.insert(shard);
  }
  Gatherer gatherer(shard_of);
  for (const std::string& name : names) {
    if (absl::Status status = gatherer.AddFile(directory, name); !status.ok()) return status;
  }
  return gatherer.Finish();
}

uint64_t BytesInMemory(const WeightFiles& files, bool copy) {
  uint64_t bytes = 0;
  for (const auto& [name, stored] : files.tensors) {
    uint64_t each = sizeof(float) * (copy || stored.tensor.dtype != "F32" ? 2 : 1);
    for (int64_t dimension : stored.tensor.shape) each *= static_cast<uint64_t>(dimension);
    bytes += each;
  }
  return bytes;
}

absl::StatusOr<std::string> DigestFiles(const WeightFiles& files) {
  Sha256 sha;
  std::string piece;
  for (const RandomAccessFile& file : files.files) {
    for (uint64_t offset = 0; offset < file.size(); offset += piece.size()) {
      piece.resize(std::min(kPieceBytes, file.size() - offset));
      if (absl::Status status = file.Read(offset, absl::MakeSpan(piece)); !status.ok()) return status;
      sha.Update(piece);
    }
  }
  return sha.HexDigest();
}

}  // namespace hydrophone
