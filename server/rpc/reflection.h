// grpc.reflection.v1alpha: the services and their messages, described from the descriptors that are linked in.
//
// gRPC's own reflection service holds a thread for each open stream, and cannot ask on whose behalf it is called.
#ifndef HYDROPHONE_SERVER_RPC_REFLECTION_H_
#define HYDROPHONE_SERVER_RPC_REFLECTION_H_

#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/access/access.h"

namespace hydrophone {

// Thread-safe.
class Reflection final : public grpc::reflection::v1alpha::ServerReflection::CallbackService {
 public:
  // Answers callers that may operate by `access`, which outlives this.
  explicit Reflection(Access* access) : access_(access) {}

  grpc::ServerBidiReactor<grpc::reflection::v1alpha::ServerReflectionRequest,
                          grpc::reflection::v1alpha::ServerReflectionResponse>*
  ServerReflectionInfo(grpc::CallbackServerContext* context) override;

 private:
  Access* const access_;
};

// The answer to one request, errors included.
grpc::reflection::v1alpha::ServerReflectionResponse AnswerReflection(
    const grpc::reflection::v1alpha::ServerReflectionRequest& request);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_REFLECTION_H_
