#include "client/cpp/bulk/job.h"

#include <filesystem>
#include <set>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/bulk/permutation.h"
#include "client/cpp/files/json_file.h"
#include "google/protobuf/util/json_util.h"

namespace hydrophone::client {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr char kFile[] = "job.json";
constexpr char kFormat[] = "hydrophone.bulk 1";
constexpr size_t kShownCharacters = 60;

struct ModelField {
  const char* name;
  const char* differs;
};
constexpr ModelField kModelFields[] = {
    {"weights_sha256", "has other weights than"},
    {"tokenizer_sha256", "has another tokenizer than"},
    {"numerics", "has the same weights, but computes other bits (numerics) than"},
};

bool IsOfTheModel(const std::string& name) {
  return name == "model" || name == "weights_sha256" || name == "tokenizer_sha256" || name == "numerics";
}

Json RequestJson(const v1::ExtractRequest& request) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  // Fails only for google.protobuf.Any, which the API has not.
  if (!google::protobuf::util::MessageToJsonString(request, &text, options).ok()) return Json::object();
  return Json::parse(text);
}

Json ModelJson(const v1::Provenance& model) {
  return {{"model", model.model()},
          {"weights_sha256", model.weights_sha256()},
          {"tokenizer_sha256", model.tokenizer_sha256()},
          {"numerics", model.numerics()}};
}

Json FieldsOf(const Job& job) {
  Json fields = ModelJson(job.model);
  fields["format"] = kFormat;
  fields["request"] = RequestJson(job.request);
  fields["corpus_sha256"] = job.corpus_sha256;
  fields["texts"] = job.texts;
  fields["texts_per_shard"] = job.texts_per_shard;
  fields["shuffle"] = job.shuffle ? Json(*job.shuffle) : Json();
  return fields;
}

Json Value(const Json& fields, const std::string& name) { return fields.contains(name) ? fields[name] : Json(); }

std::string Shown(const Json& value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kShownCharacters) text = absl::StrCat(text.substr(0, kShownCharacters), "...");
  return text;
}

absl::Status CheckModel(const Json& begun, const Json& now, const std::string& directory) {
  for (const ModelField& field : kModelFields) {
    if (Value(begun, field.name) == Value(now, field.name)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the server ", field.differs, " the one that ", directory, " was begun with: got ",
                     Shown(Value(now, field.name)), ", expected ", Shown(Value(begun, field.name)), " (model ",
                     Shown(Value(begun, "model")), "); ask that server again, or take another directory"));
  }
  return absl::OkStatus();
}

absl::Status CheckSameJob(const Json& begun, const Json& mine, const std::string& directory) {
  std::set<std::string> names;
  for (const Json* fields : {&begun, &mine}) {
    for (const auto& [name, value] : fields->items()) names.insert(name);
  }
  for (const std::string& name : names) {
    if (IsOfTheModel(name) || Value(begun, name) == Value(mine, name)) continue;
    return absl::InvalidArgumentError(absl::StrCat("--out: ", directory, " holds another job: its ", name, " is ",
                                                   Shown(Value(begun, name)), ", this one's ", Shown(Value(mine, name)),
                                                   "; another directory takes another job"));
  }
  return CheckModel(begun, mine, directory);
}

bool HoldsShards(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (absl::StartsWith(entry.path().filename().string(), "shard-")) return true;
  }
  return false;
}

}  // namespace

std::vector<size_t> Job::Order() const {
  if (shuffle) return Permutation(*shuffle, texts);
  std::vector<size_t> order(texts);
  for (size_t i = 0; i < texts; ++i) order[i] = i;
  return order;
}

std::optional<std::vector<size_t>> Job::RowsOrder(size_t shard, size_t rows) const {
  if (!shuffle) return std::nullopt;
  return Permutation(*shuffle + 1 + static_cast<uint32_t>(shard), rows);  // modulo 2^32
}

absl::Status Job::Begin(const std::string& directory) const {
  const std::string path = absl::StrCat(directory, "/", kFile);
  std::error_code error;
  if (!fs::exists(path, error)) {
    if (!HoldsShards(directory)) return WriteJsonFile(path, FieldsOf(*this));
    return absl::InvalidArgumentError(
        absl::StrCat("--out: ", directory, " holds shards and no ", kFile, ", expected a new directory"));
  }
  const auto begun = ReadJsonFile(path);
  if (!begun.ok()) return begun.status();
  return CheckSameJob(*begun, FieldsOf(*this), directory);
}

absl::Status Job::Check(const v1::Provenance& answer, const std::string& directory) const {
  return CheckModel(ModelJson(model), ModelJson(answer), directory);
}

}  // namespace hydrophone::client
