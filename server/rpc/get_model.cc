#include "absl/status/statusor.h"
#include "server/answer/model_messages.h"
#include "server/rpc/operations.h"
#include "server/rpc/unary_call.h"

namespace hydrophone {

grpc::ServerUnaryReactor* StartGetModel(const ServiceContext& service, UnaryTransport transport) {
  return StartUnary(service, service.workers, "GetModel", transport, [&service](const UnaryRequest& call) {
    return AnswerMessage<v1::GetModelRequest>(call.bytes, service, [&service](const v1::GetModelRequest&) {
      return absl::StatusOr<v1::GetModelResponse>(DescribeModel(service.request.model, service.request.tokenizer,
                                                                service.request.compute, service.request.limits,
                                                                service.versions));
    });
  });
}

}  // namespace hydrophone
