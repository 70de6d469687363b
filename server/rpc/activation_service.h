// The generated service with every method raw: requests come as bytes, so that the guard can check them before they are
// parsed.
#ifndef HYDROPHONE_SERVER_RPC_ACTIVATION_SERVICE_H_
#define HYDROPHONE_SERVER_RPC_ACTIVATION_SERVICE_H_

#include "hydrophone/v1/activation_service.grpc.pb.h"
#include "server/rpc/operations.h"
#include "server/rpc/service_context.h"

namespace hydrophone {

using RawActivationService = v1::ActivationService::WithRawCallbackMethod_GetModel<
    v1::ActivationService::WithRawCallbackMethod_ListHookPoints<v1::ActivationService::WithRawCallbackMethod_Tokenize<
        v1::ActivationService::WithRawCallbackMethod_Detokenize<v1::ActivationService::WithRawCallbackMethod_Extract<
            v1::ActivationService::WithRawCallbackMethod_GetParameters<
                v1::ActivationService::WithRawCallbackMethod_Verify<v1::ActivationService::Service>>>>>>>;

// Starts an operation for every call. `service` outlives it and its calls.
class ActivationServiceImpl final : public RawActivationService {
 public:
  explicit ActivationServiceImpl(const ServiceContext& service) : service_(service) {}

  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override {
    return StartGetModel(service_, {context, request, response});
  }
  grpc::ServerUnaryReactor* ListHookPoints(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override {
    return StartListHookPoints(service_, {context, request, response});
  }
  grpc::ServerUnaryReactor* Tokenize(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override {
    return StartTokenize(service_, {context, request, response});
  }
  grpc::ServerUnaryReactor* Detokenize(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override {
    return StartDetokenize(service_, {context, request, response});
  }
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Extract(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request) override {
    return StartExtract(service_, context, request);
  }
  grpc::ServerWriteReactor<grpc::ByteBuffer>* GetParameters(grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* request) override {
    return StartGetParameters(service_, context, request);
  }
  grpc::ServerUnaryReactor* Verify(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override {
    return StartVerify(service_, {context, request, response});
  }

 private:
  const ServiceContext& service_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_ACTIVATION_SERVICE_H_
