#include "server/tokenizer/load.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/core/sha256.h"
#include "server/tokenizer/byte_level_bpe.h"
#include "server/tokenizer/merges.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {
namespace {

// GPT-2's files are about 1 MB; vocabularies ten times as large exist.
constexpr uintmax_t kMaxFileBytes = uintmax_t{64} << 20;

// transformers 5 saves tokenizer.json alone, which holds the same two tables in another form.
constexpr absl::string_view kHint =
    " (if the directory has only tokenizer.json, transformers writes vocab.json and merges.txt from"
    " it with tokenizer.backend_tokenizer.model.save(directory))";

// `status` with the path before its message.
absl::Status In(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

// The size in bytes of a file that may be read.
absl::StatusOr<uintmax_t> SizeOf(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat("no such file", kHint));
  }
  if (error) return absl::UnavailableError(error.message());
  if (!std::filesystem::is_regular_file(status)) {
    return absl::InvalidArgumentError("not a regular file");
  }
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return absl::UnavailableError(error.message());
  if (size <= kMaxFileBytes) return size;
  return absl::InvalidArgumentError(
      absl::StrCat("is ", size, " bytes, more than the ", kMaxFileBytes, " that are read"));
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const absl::StatusOr<uintmax_t> size = SizeOf(path);
  if (!size.ok()) return In(path, size.status());
  std::ifstream file(path, std::ios::binary);
  std::string bytes(*size, '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    return In(path, absl::UnavailableError("cannot be read"));
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const std::string& vocab_json_path,
                                                         const std::string& merges_txt_path) {
  const absl::StatusOr<std::string> json = ReadFile(vocab_json_path);
  if (!json.ok()) return json.status();
  const absl::StatusOr<std::string> text = ReadFile(merges_txt_path);
  if (!text.ok()) return text.status();
  absl::StatusOr<Vocabulary> vocabulary = Vocabulary::Parse(*json);
  if (!vocabulary.ok()) return In(vocab_json_path, vocabulary.status());
  absl::StatusOr<MergeTable> merges = MergeTable::Parse(*text, *vocabulary);
  if (!merges.ok()) return In(merges_txt_path, merges.status());
  Sha256 sha256;
  sha256.Update(*json);
  sha256.Update(*text);
  return std::make_unique<ByteLevelBpe>(*std::move(vocabulary), *std::move(merges),
                                        sha256.HexDigest());
}

}  // namespace hydrophone
