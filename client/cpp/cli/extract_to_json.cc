#include "client/cpp/cli/extract_to_json.h"

#include <string>
#include <utility>

#include "client/cpp/cli/progress.h"
#include "client/cpp/cli/request_kinds.h"
#include "google/protobuf/util/json_util.h"

namespace hydrophone::client {
namespace {

class JsonLinesSink : public ExtractSink {
 public:
  explicit JsonLinesSink(std::ostream* out) : out_(*out) {}

  absl::Status OnHeader(const v1::Header& header) override {
    v1::ExtractResponse message;
    *message.mutable_header() = header;
    return Print(message);
  }
  absl::Status OnInput(v1::InputInfo input) override {
    v1::ExtractResponse message;
    *message.mutable_input() = std::move(input);
    return Print(message);
  }
  absl::Status OnValues(v1::Values values) override {
    v1::ExtractResponse message;
    *message.mutable_values() = std::move(values);
    return Print(message);
  }
  absl::Status OnTrailer(const v1::Trailer& trailer) override {
    v1::ExtractResponse message;
    *message.mutable_trailer() = trailer;
    return Print(message);
  }

 private:
  absl::Status Print(const v1::ExtractResponse& message) {
    google::protobuf::util::JsonPrintOptions options;
    options.always_print_primitive_fields = true;
    options.preserve_proto_field_names = true;
    std::string json;
    if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
      return absl::InternalError("a message of the answer cannot be written as JSON");
    }
    out_ << json << "\n";
    return absl::OkStatus();
  }

  std::ostream& out_;
};

}  // namespace

absl::Status CheckJson(const v1::ExtractRequest& request) {
  if (!SendsBytes(request)) return absl::OkStatus();
  return absl::InvalidArgumentError("--json shows no bytes: take --view floats, summary or preview, or --out");
}

int ExtractToJson(const Session& session, const MadeRequest& made) {
  JsonLinesSink sink(&session.out);
  const absl::Status status = ExtractWithProgress(*session.Connect(), made.request, &sink, &session.err);
  return status.ok() ? kOk : session.Fail(made.words.Reword(status));
}

}  // namespace hydrophone::client
