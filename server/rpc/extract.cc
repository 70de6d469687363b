#include <memory>

#include "server/rpc/extract_stream.h"
#include "server/rpc/operations.h"

namespace hydrophone {

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartExtract(const ServiceContext& service,
                                                         grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request) {
  auto stream = std::make_shared<ExtractStream>(service, context, *request);
  stream->Start();
  return stream.get();
}

}  // namespace hydrophone
