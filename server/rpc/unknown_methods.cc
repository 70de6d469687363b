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
  Refusal(OpenCalls* calls, const absl::Status& status, const Caller& caller,
          grpc::GenericCallbackServerContext* context)
      : call_(calls, context->method(), caller, context) {
    call_.Finished(status);
    Finish(FinalStatus(status, context));
  }
  void OnDone() override { delete this; }

 private:
  OpenCalls::Call call_;
};

}  // namespace

grpc::ServerGenericBidiReactor* UnknownMethods::CreateReactor(grpc::GenericCallbackServerContext* context) {
  grpc::ServerGenericBidiReactor* refusal = nullptr;
  const absl::Status made = OrOutOfMemory([&] {
    const CallPermit permit = PermitOf(*context, access_);
    const absl::Status refused =
        permit.ok() ? absl::UnimplementedError(absl::StrCat("got a call of \"", ToUtf8(context->method()),
                                                            "\", which this server does not have"))
                    : permit.status();
    refusal = new Refusal(calls_, refused, CallerOf(permit, *context), context);
  });
  if (made.ok()) return refusal;
  return new RefusedCall<grpc::ServerGenericBidiReactor>(FinalStatus(made, context));
}

}  // namespace hydrophone
