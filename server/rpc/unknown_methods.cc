#include "server/rpc/unknown_methods.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/utf8.h"
#include "server/rpc/status.h"

namespace hydrophone {
namespace {

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerGenericBidiReactor* UnknownMethods::CreateReactor(grpc::GenericCallbackServerContext* context) {
  return new Refusal(absl::UnimplementedError(
      absl::StrCat("got a call of \"", ToUtf8(context->method()), "\", which this server does not have")));
}

}  // namespace hydrophone
