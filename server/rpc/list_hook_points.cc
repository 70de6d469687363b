#include "absl/status/statusor.h"
#include "server/answer/model_messages.h"
#include "server/rpc/operations.h"
#include "server/rpc/unary_call.h"

namespace hydrophone {

grpc::ServerUnaryReactor* StartListHookPoints(const ServiceContext& service, UnaryTransport transport) {
  return StartUnary(service, service.workers, "ListHookPoints", transport, [&service](const UnaryRequest& call) {
    return AnswerMessage<v1::ListHookPointsRequest>(call.bytes, service, [&service](const v1::ListHookPointsRequest&) {
      return absl::StatusOr<v1::ListHookPointsResponse>(DescribeHookPoints(service.request.model));
    });
  });
}

}  // namespace hydrophone
