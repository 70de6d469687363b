// Between gRPC's buffers and ours.
#ifndef HYDROPHONE_SERVER_RPC_BYTE_BUFFERS_H_
#define HYDROPHONE_SERVER_RPC_BYTE_BUFFERS_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "server/answer/frames.h"

namespace hydrophone {

// A received message in one piece; shares its memory when it came in one.
class RequestBytes {
 public:
  explicit RequestBytes(const grpc::ByteBuffer& buffer);

  absl::string_view view() const { return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()}; }

 private:
  grpc::Slice slice_;
};

// The head is copied; the tail is borrowed:
//
// clang-format off
//   ByteBuffer ─► slice ─keeps─► frame.owner ─keeps─► the tensor's storage (and the job's share of the response budget)
// clang-format on
//
// gRPC drops the slice when its bytes have left, or will never leave, on whatever thread.
grpc::ByteBuffer ToByteBuffer(const Frame& frame);

// A whole answer. INVALID_ARGUMENT (TOO_LARGE) over `max_bytes`.
absl::StatusOr<grpc::ByteBuffer> ToByteBuffer(const google::protobuf::Message& message, size_t max_bytes);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_BYTE_BUFFERS_H_
