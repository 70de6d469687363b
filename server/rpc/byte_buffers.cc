#include "server/rpc/byte_buffers.h"

#include <memory>
#include <string>

#include "server/core/errors.h"

namespace hydrophone {
namespace {

using Owner = std::shared_ptr<const void>;

void DropOwner(void* owner) { delete static_cast<Owner*>(owner); }

grpc::Slice Borrowed(const Frame& frame) {
  // gRPC's C interface has no const, but only reads the bytes.
  return grpc::Slice(const_cast<std::byte*>(frame.tail), frame.tail_size, DropOwner, new Owner(frame.owner));
}

}  // namespace

RequestBytes::RequestBytes(const grpc::ByteBuffer& buffer) {
  if (buffer.TrySingleSlice(&slice_).ok()) return;
  // Fails only for a buffer that was never filled, which reads as an empty message.
  if (!buffer.DumpToSingleSlice(&slice_).ok()) slice_ = grpc::Slice();
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
