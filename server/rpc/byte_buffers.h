// Conversions between gRPC's buffers and the server's own.
#ifndef HYDROPHONE_SERVER_RPC_BYTE_BUFFERS_H_
#define HYDROPHONE_SERVER_RPC_BYTE_BUFFERS_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "server/answer/frames.h"
#include "server/core/limits.h"

namespace hydrophone {

// A received message in one piece, unpacked if the client compressed it. Shares gRPC's memory if the message came in
// one piece and not compressed, and copies it otherwise.
class RequestBytes {
 public:
  // INVALID_ARGUMENT when a compressed message cannot be unpacked (wire/packed_request.h).
  static absl::StatusOr<RequestBytes> Read(const grpc::ByteBuffer& buffer, const Limits& limits);

  absl::string_view view() const {
    if (unpacked_.has_value()) return *unpacked_;
    return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()};
  }

 private:
  RequestBytes() = default;

  grpc::Slice slice_;
  std::optional<std::string> unpacked_;
};

// The frame as a message of gRPC's: its head is copied, its tail is borrowed.
//
// clang-format off
//   ByteBuffer ─► slice ─keeps─► frame.owner ─keeps─► the tensor's storage (and the job's share of the response budget)
// clang-format on
//
// gRPC drops the slice, on whatever thread, when its bytes have been sent or will never be.
grpc::ByteBuffer ToByteBuffer(const Frame& frame);

// The serialized message. INVALID_ARGUMENT (TOO_LARGE) when it has more than `max_bytes`.
absl::StatusOr<grpc::ByteBuffer> ToByteBuffer(const google::protobuf::Message& message, size_t max_bytes);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_BYTE_BUFFERS_H_
