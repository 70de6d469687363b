// One server-streaming call whose messages are taken as they came, in pieces and without parsing.
#ifndef HYDROPHONE_CLIENT_CPP_BYTE_STREAM_H_
#define HYDROPHONE_CLIENT_CPP_BYTE_STREAM_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cpp/chunk_message.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/support/status.h"

namespace hydrophone::client {

// The calling thread alone drives the stream: it receives messages itself while it waits in Read, so that no other
// thread has to be woken for them. Not thread-safe.
class ByteStream {
 public:
  // Makes the call. `context` outlives this and has not been used before.
  ByteStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
             const google::protobuf::MessageLite& request, grpc::ClientContext* context);
  // Cancels the call if it has not ended.
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // The next message, valid until the next call of Read or Finish; false at the stream's end.
  bool Read(MessagePieces* message);

  // The call's status. Called before Read has returned false, it cancels the rest of the stream.
  grpc::Status Finish();

 private:
  // Waits for the one operation under way and returns whether it succeeded.
  bool Await();

  grpc::ClientContext& context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter>
      call_;  // declared after queue_, so that it is destroyed before it
  grpc::ByteBuffer message_;
  std::vector<grpc::Slice> slices_;        // message_'s
  std::vector<absl::string_view> pieces_;  // views of slices_
  bool ended_ = false;                     // Read has returned false
  bool finished_ = false;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_BYTE_STREAM_H_
