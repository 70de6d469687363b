#include "server/rpc/unknown_methods.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/utf8.h"
#include "server/core/out_of_memory.h"
#include "server/rpc/caller_of.h"
#include "server/rpc/refused_call.h"
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
  grpc::ServerGenericBidiReactor* refusal = nullptr;
  const absl::Status made = OrOutOfMemory([&] {
    const absl::Status refused = absl::UnimplementedError(
        absl::StrCat("got a call of \"", ToUtf8(context->method()), "\", which this server does not have"));
    refusal = new Refusal(calls_, refused, context);
  });
  if (made.ok()) return refusal;
  return new RefusedCall<grpc::ServerGenericBidiReactor>(FinalStatus(made, context));
}

}  // namespace hydrophone
