// The service's operations, one file each. Each function starts a call and returns gRPC's handle on it; the call
// deletes itself when gRPC is done with it. `service` outlives the call.
#ifndef HYDROPHONE_SERVER_RPC_OPERATIONS_H_
#define HYDROPHONE_SERVER_RPC_OPERATIONS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/rpc/service_context.h"
#include "server/rpc/unary_call.h"

namespace hydrophone {

grpc::ServerUnaryReactor* StartGetModel(const ServiceContext& service, UnaryTransport transport);
grpc::ServerUnaryReactor* StartListHookPoints(const ServiceContext& service, UnaryTransport transport);
grpc::ServerUnaryReactor* StartTokenize(const ServiceContext& service, UnaryTransport transport);
grpc::ServerUnaryReactor* StartDetokenize(const ServiceContext& service, UnaryTransport transport);
grpc::ServerUnaryReactor* StartVerify(const ServiceContext& service, UnaryTransport transport);

// frame_stream.h and extract_stream.h draw what owns what.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartExtract(const ServiceContext& service,
                                                         grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request);

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartGetParameters(const ServiceContext& service,
                                                               grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* request);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_OPERATIONS_H_
