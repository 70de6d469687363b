#include "client/cpp/cli/request_file.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/util/json_util.h"

namespace hydrophone::client {
namespace {

absl::Status Wrong(absl::string_view name, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", what));
}

absl::StatusOr<v1::ExtractRequest> ReadRequest(std::istream& stream, absl::string_view name) {
  const std::string json((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (stream.bad()) return Wrong(name, "cannot read it");
  v1::ExtractRequest request;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &request);  // refuses unknown fields
  if (!status.ok()) {
    const std::string message(status.message().data(), status.message().size());
    return Wrong(name, absl::StrCat("not an ExtractRequest: ", message));
  }
  return request;
}

}  // namespace

absl::StatusOr<v1::ExtractRequest> ReadRequestFile(const std::string& path, std::istream& standard_input) {
  if (path == "-") return ReadRequest(standard_input, "standard input");
  std::ifstream file(path, std::ios::binary);
  if (!file) return Wrong(path, absl::StrCat("cannot read it: ", std::generic_category().message(errno)));
  return ReadRequest(file, path);
}

RequestWords WordsOfFile(const v1::ExtractRequest& request) {
  RequestWords words;
  for (int i = 0; i < request.texts_size(); ++i) words.AddInput(absl::StrCat("texts[", i, "]"), Rest::kPath);
  for (int i = 0; i < request.inputs_size(); ++i) words.AddInput(absl::StrCat("inputs[", i, "]"), Rest::kPath);
  return words;
}

std::string RequestJson(const v1::ExtractRequest& request) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Fails only for google.protobuf.Any of unknown types; the API has none.
  if (!google::protobuf::util::MessageToJsonString(request, &json, options).ok()) return "{}\n";
  return json;
}

}  // namespace hydrophone::client
