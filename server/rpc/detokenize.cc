#include "absl/status/statusor.h"
#include "server/answer/tokenize_messages.h"
#include "server/rpc/operations.h"
#include "server/rpc/unary_call.h"

namespace hydrophone {

grpc::ServerUnaryReactor* StartDetokenize(const ServiceContext& service, UnaryTransport transport) {
  return StartUnary(service, service.workers, "Detokenize", transport, [&service](const UnaryRequest& call) {
    return AnswerMessage<v1::DetokenizeRequest>(call.bytes, service, [&](const v1::DetokenizeRequest& request) {
      int64_t tokens = 0;
      for (const v1::TokenSequence& sequence : request.sequences()) tokens += sequence.token_ids_size();
      call.notes.Planned(static_cast<size_t>(request.sequences_size()), tokens);
      return AnswerDetokenize(request, service.request);
    });
  });
}

}  // namespace hydrophone
