#include "server/rpc/extract_stream.h"
#include "server/rpc/operations.h"

namespace hydrophone {

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartExtract(const ServiceContext& service,
                                                         grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request) {
  return StartStream<ExtractStream>(service, context, *request);
}

}  // namespace hydrophone
