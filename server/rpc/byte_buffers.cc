#include "server/rpc/byte_buffers.h"

#include <memory>
#include <string>
#include <utility>

#include "server/core/errors.h"
#include "server/wire/packed_request.h"

namespace hydrophone {
namespace {

using Owner = std::shared_ptr<const void>;

void DropOwner(void* owner) { delete static_cast<Owner*>(owner); }

grpc::Slice Borrowed(const Frame& frame) {
  // gRPC's C interface has no const, but only reads the bytes.
  return grpc::Slice(const_cast<std::byte*>(frame.tail), frame.tail_size, DropOwner, new Owner(frame.owner));
}

}  // namespace

absl::StatusOr<RequestBytes> RequestBytes::Read(const grpc::ByteBuffer& buffer, const Limits& limits) {
  RequestBytes bytes;
  // The second fails only for a buffer that was never filled, which reads as an empty message.
  if (!buffer.TrySingleSlice(&bytes.slice_).ok() && !buffer.DumpToSingleSlice(&bytes.slice_).ok()) {
    bytes.slice_ = grpc::Slice();
  }
  absl::StatusOr<std::optional<std::string>> unpacked = UnpackRequest(bytes.view(), limits);
  if (!unpacked.ok()) return unpacked.status();
  bytes.unpacked_ = *std::move(unpacked);
  return bytes;
}

grpc::ByteBuffer ToByteBuffer(const Frame& frame) {
  grpc::Slice head(frame.head);
  if (frame.tail_size == 0) return grpc::ByteBuffer(&head, 1);
  grpc::Slice parts[] = {head, Borrowed(frame)};
  return grpc::ByteBuffer(parts, 2);
}

absl::StatusOr<grpc::ByteBuffer> ToByteBuffer(const google::protobuf::Message& message, size_t max_bytes) {
  size_t size = message.ByteSizeLong();
  if (size > max_bytes) return TooLarge("(the answer)", size, max_bytes, "bytes");
  std::string bytes;
  if (!message.SerializeToString(&bytes)) return absl::InternalError("cannot serialize the answer");
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace hydrophone
