#include "server/tokenizer/load.h"

#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/messages.h"
#include "server/base/read_file.h"
#include "server/core/sha256.h"
#include "server/tokenizer/byte_level_bpe.h"
#include "server/tokenizer/merges.h"
#include "server/tokenizer/tokenizer_json.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {
namespace {

// GPT-2's files are about 1 MB; vocabularies ten times as large exist.
constexpr uintmax_t kMaxFileBytes = uintmax_t{64} << 20;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  absl::StatusOr<std::string> bytes = ReadWholeFile(path, kMaxFileBytes);
  if (!bytes.ok()) return Annotate(bytes.status(), path);
  if (IsLfsPointer(*bytes)) return Annotate(absl::InvalidArgumentError(kLfsPointer), path);
  return bytes;
}

// The two tables, the place that messages name for each, and the digest of the files' bytes.
struct Source {
  TokenizerTables tables;
  std::string vocab_name;
  std::string merges_name;
  std::string sha256;
};

absl::StatusOr<Source> ReadTwoFiles(const std::string& vocab_path, const std::string& merges_path) {
  absl::StatusOr<std::string> json = ReadFile(vocab_path);
  if (!json.ok()) return json.status();
  absl::StatusOr<std::string> text = ReadFile(merges_path);
  if (!text.ok()) return text.status();
  absl::StatusOr<VocabularyEntries> entries = ParseVocabJson(*json);
  if (!entries.ok()) return Annotate(entries.status(), vocab_path);
  Sha256 sha256;
  sha256.Update(*json);
  sha256.Update(*text);
  return Source{{*std::move(entries), *std::move(text)}, vocab_path, merges_path, sha256.HexDigest()};
}

absl::StatusOr<Source> ReadOneFile(const std::string& path) {
  const absl::StatusOr<std::string> json = ReadFile(path);
  if (!json.ok()) return json.status();
  absl::StatusOr<TokenizerTables> tables = ParseTokenizerJson(*json);
  if (!tables.ok()) return Annotate(tables.status(), path);
  Sha256 sha256;
  sha256.Update(*json);
  return Source{*std::move(tables), path + ": model.vocab", path + ": model.merges", sha256.HexDigest()};
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

absl::StatusOr<Source> ReadSource(const std::string& directory) {
  const std::string vocab = directory + "/vocab.json";
  const std::string merges = directory + "/merges.txt";
  const std::string both = directory + "/tokenizer.json";
  if (Exists(both) && !Exists(vocab) && !Exists(merges)) return ReadOneFile(both);
  absl::StatusOr<Source> source = ReadTwoFiles(vocab, merges);
  if (!absl::IsNotFound(source.status())) return source;
  return absl::NotFoundError(absl::StrCat(
      source.status().message(), "; a tokenizer is vocab.json with merges.txt, or tokenizer.json without either"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const std::string& directory) {
  absl::StatusOr<Source> source = ReadSource(directory);
  if (!source.ok()) return source.status();
  absl::StatusOr<Vocabulary> vocabulary = Vocabulary::Make(std::move(source->tables.vocabulary));
  if (!vocabulary.ok()) return Annotate(vocabulary.status(), source->vocab_name);
  absl::StatusOr<MergeTable> merges = MergeTable::Parse(source->tables.merges_txt, *vocabulary);
  if (!merges.ok()) return Annotate(merges.status(), source->merges_name);
  return std::make_unique<ByteLevelBpe>(*std::move(vocabulary), *std::move(merges), source->sha256);
}

}  // namespace hydrophone
