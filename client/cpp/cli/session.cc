#include "client/cpp/cli/session.h"

#include "absl/strings/str_cat.h"
#include "client/cpp/cli/access_options.h"
#include "client/cpp/errors.h"
#include "google/protobuf/util/json_util.h"

namespace hydrophone::client {

std::unique_ptr<Client> Session::Connect() const {
  ClientOptions options;
  options.address = server;
  options.credentials = credentials;
  if (timeout_seconds > 0) options.timeout = absl::Seconds(timeout_seconds);
  return Client::Connect(std::move(options));
}

int Session::Fail(const absl::Status& status) const {
  err << "hydrophone: " << Describe(status) << "\n";
  if (absl::IsUnavailable(status)) err << "  the server asked was " << server << " (--server, HYDROPHONE_SERVER)\n";
  err << AccessAdvice(status, credentials);
  return kFailed;
}

int Session::Refuse(const absl::Status& status) const {
  err << "hydrophone: " << std::string(status.message()) << "\n";
  return kUsage;
}

namespace {

// Fails only for google.protobuf.Any of unknown types; the API has none.
std::string JsonOf(const google::protobuf::Message& message, bool whole) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = whole;
  options.always_print_primitive_fields = whole;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return whole ? "{}\n" : "{}";
  return json;
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) { return JsonOf(message, true); }

std::string CompactJson(const google::protobuf::Message& message) { return JsonOf(message, false); }

}  // namespace hydrophone::client
