#include <vector>

#include "absl/status/statusor.h"
#include "server/answer/tokenize_messages.h"
#include "server/plan/inputs/tokenize_inputs.h"
#include "server/rpc/operations.h"
#include "server/rpc/unary_call.h"

namespace hydrophone {

grpc::ServerUnaryReactor* StartTokenize(const ServiceContext& service, UnaryTransport transport) {
  return StartUnary(service, service.workers, "Tokenize", transport, [&service](const UnaryRequest& call) {
    return AnswerMessage<v1::TokenizeRequest>(call.bytes, service, [&](const v1::TokenizeRequest& request) {
      const absl::StatusOr<std::vector<PlannedInput>> inputs = ReadTokenizeInputs(request, service.request);
      if (!inputs.ok()) return absl::StatusOr<v1::TokenizeResponse>(inputs.status());
      size_t tokens = 0;
      for (const PlannedInput& input : *inputs) tokens += input.token_ids.size();
      call.notes.Planned(inputs->size(), static_cast<int64_t>(tokens));
      return absl::StatusOr<v1::TokenizeResponse>(DescribeTokens(*inputs, service.request.tokenizer));
    });
  });
}

}  // namespace hydrophone
