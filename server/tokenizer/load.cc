#include "server/tokenizer/load.h"

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/bounded_json.h"
#include "server/base/messages.h"
#include "server/base/read_file.h"
#include "server/base/sha256.h"
#include "server/tokenizer/byte_level_bpe.h"
#include "server/tokenizer/json_values.h"
#include "server/tokenizer/merges.h"
#include "server/tokenizer/token_settings.h"
#include "server/tokenizer/tokenizer_json.h"
#include "server/tokenizer/vocabulary.h"

namespace hydrophone {
namespace {

// GPT-2's files are about 1 MB; vocabularies ten times as large exist.
constexpr uintmax_t kMaxFileBytes = uintmax_t{64} << 20;

constexpr char kVocab[] = "vocab.json";
constexpr char kMerges[] = "merges.txt";
constexpr char kTokenizer[] = "tokenizer.json";

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  absl::StatusOr<std::string> bytes = ReadWholeFile(path, kMaxFileBytes);
  if (!bytes.ok()) return Annotate(bytes.status(), path);
  if (IsLfsPointer(*bytes)) return Annotate(absl::InvalidArgumentError(kLfsPointer), path);
  return bytes;
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// The directory's files, each read once, and the digest of their bytes.
class Files {
 public:
  explicit Files(const std::string& directory) : directory_(directory) {}

  std::string Path(absl::string_view name) const { return absl::StrCat(directory_, "/", name); }
  bool Has(absl::string_view name) const { return Exists(Path(name)); }

  absl::StatusOr<std::string> Text(absl::string_view name) {
    absl::StatusOr<std::string> text = ReadFile(Path(name));
    if (text.ok()) sha256_.Update(*text);
    return text;
  }

  // Null when there is no such file.
  absl::StatusOr<nlohmann::json> OptionalJson(absl::string_view name) {
    if (!Has(name)) return nlohmann::json();
    const absl::StatusOr<std::string> text = Text(name);
    if (!text.ok()) return text.status();
    absl::StatusOr<nlohmann::json> document = ParseBoundedJson(*text);
    if (!document.ok()) return Annotate(document.status(), Path(name));
    if (!document->is_object()) return Annotate(RefusedValue("the whole", *document, "an object"), Path(name));
    return document;
  }

  // config.json's tokenizer_class. Another member of that file, or a damaged one, is for the checkpoint to refuse.
  std::string ModelClass() {
    const absl::StatusOr<std::string> text = ReadFile(Path("config.json"));
    if (!text.ok()) return "";
    const absl::StatusOr<nlohmann::json> config = ParseBoundedJson(*text);
    if (!config.ok()) return "";
    const nlohmann::json& name = Member(*config, "tokenizer_class");
    if (!name.is_string()) return "";
    return name.get<std::string>();
  }

  std::string HexDigest() { return sha256_.HexDigest(); }

 private:
  const std::string directory_;
  Sha256 sha256_;
};

// The two tables, and the place that messages name for each.
struct Source {
  TokenizerTables tables;
  std::string vocab_name;
  std::string merges_name;
};

absl::StatusOr<Source> ReadTwoFiles(Files* files) {
  absl::StatusOr<std::string> json = files->Text(kVocab);
  if (!json.ok()) return json.status();
  absl::StatusOr<std::string> text = files->Text(kMerges);
  if (!text.ok()) return text.status();
  absl::StatusOr<VocabularyEntries> entries = ParseVocabJson(*json);
  if (!entries.ok()) return Annotate(entries.status(), files->Path(kVocab));
  return Source{{*std::move(entries), *std::move(text)}, files->Path(kVocab), files->Path(kMerges)};
}

absl::StatusOr<Source> ReadTables(const nlohmann::json& document, Files* files) {
  if (document.is_null()) {
    absl::StatusOr<Source> source = ReadTwoFiles(files);
    if (!absl::IsNotFound(source.status())) return source;
    return absl::NotFoundError(
        absl::StrCat(source.status().message(), "; a tokenizer is vocab.json with merges.txt, or tokenizer.json"));
  }
  const std::string path = files->Path(kTokenizer);
  absl::StatusOr<TokenizerTables> tables = TablesOf(document);
  if (!tables.ok()) return Annotate(tables.status(), path);
  return Source{*std::move(tables), path + ": model.vocab", path + ": model.merges"};
}

absl::StatusOr<SettingsFiles> ReadSettingsFiles(nlohmann::json tokenizer, Files* files) {
  SettingsFiles settings;
  settings.tokenizer = std::move(tokenizer);
  settings.model_class = files->ModelClass();
  const std::pair<const char*, nlohmann::json*> others[] = {{"tokenizer_config.json", &settings.config},
                                                            {"special_tokens_map.json", &settings.special_tokens},
                                                            {"added_tokens.json", &settings.added_tokens}};
  for (const auto& [name, target] : others) {
    absl::StatusOr<nlohmann::json> document = files->OptionalJson(name);
    if (!document.ok()) return document.status();
    *target = *std::move(document);
  }
  return settings;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const std::string& directory) {
  Files files(directory);
  if (!files.Has(kVocab) && !files.Has(kMerges) && !files.Has(kTokenizer)) return std::make_unique<NoTokenizer>();
  absl::StatusOr<nlohmann::json> document = files.OptionalJson(kTokenizer);
  if (!document.ok()) return document.status();
  absl::StatusOr<Source> source = ReadTables(*document, &files);
  if (!source.ok()) return source.status();
  absl::StatusOr<Vocabulary> vocabulary = Vocabulary::Make(std::move(source->tables.vocabulary));
  if (!vocabulary.ok()) return Annotate(vocabulary.status(), source->vocab_name);
  absl::StatusOr<MergeTable> merges = MergeTable::Parse(source->tables.merges_txt, *vocabulary);
  if (!merges.ok()) return Annotate(merges.status(), source->merges_name);
  const absl::StatusOr<SettingsFiles> settings_files = ReadSettingsFiles(*std::move(document), &files);
  if (!settings_files.ok()) return settings_files.status();
  absl::StatusOr<TokenSettings> settings = ReadTokenSettings(*settings_files);
  if (!settings.ok()) return absl::InvalidArgumentError(files.Path(settings.status().message()));
  return std::make_unique<ByteLevelBpe>(*std::move(vocabulary), *std::move(merges), *std::move(settings),
                                        files.HexDigest());
}

}  // namespace hydrophone
