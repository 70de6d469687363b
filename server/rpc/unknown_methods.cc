#include "server/rpc/unknown_methods.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/utf8.h"
#include "server/rpc/caller_of.h"
#include "server/rpc/status.h"

namespace hydrophone {
namespace {

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  Refusal(OpenCalls* calls, const absl::Status& status, grpc::GenericCallbackServerContext* context)
      : call_(calls, context->method(), CallerOf(*context), context) {
    call_.Finished(status);
    Finish(ToGrpcStatus(status));
  }
  void OnDone() override { delete this; }

 private:
  OpenCalls::Call call_;
};

}  // namespace

grpc::ServerGenericBidiReactor* UnknownMethods::CreateReactor(grpc::GenericCallbackServerContext* context) {
  const absl::Status refused = absl::UnimplementedError(
      absl::StrCat("got a call of \"", ToUtf8(context->method()), "\", which this server does not have"));
  return new Refusal(calls_, refused, context);
}

}  // namespace hydrophone
