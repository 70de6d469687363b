#include "absl/status/statusor.h"
#include "server/answer/tokenize_messages.h"
#include "server/rpc/operations.h"
#include "server/rpc/unary_call.h"

namespace hydrophone {

grpc::ServerUnaryReactor* StartDetokenize(const ServiceContext& service, UnaryTransport transport) {
  return StartUnary(service, service.workers, "Detokenize", transport, [&service](const UnaryRequest& call) {
    return AnswerMessage<v1::DetokenizeRequest>(call.bytes, service, [&service](const v1::DetokenizeRequest& request) {
      return AnswerDetokenize(request, service.request);
    });
  });
}

}  // namespace hydrophone
