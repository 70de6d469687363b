#include "client/cpp/byte_stream.h"

namespace hydrophone::client {

ByteStream::ByteStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                       const google::protobuf::MessageLite& request, grpc::ClientContext* context)
    : context_(*context) {
  context->set_initial_metadata_corked(true);  // the metadata goes into the request's packet
  call_ = grpc::GenericStub(channel).PrepareCall(context, method, &queue_);
  call_->StartCall(nullptr);
  const grpc::Slice body(request.SerializeAsString());
  call_->WriteLast(grpc::ByteBuffer(&body, 1), grpc::WriteOptions(), nullptr);
  Await();  // when it failed, Read returns false and Finish tells why
}

ByteStream::~ByteStream() {
  if (!finished_) Finish();
  queue_.Shutdown();
  while (Await()) continue;
}

bool ByteStream::Await() {
  void* tag;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

bool ByteStream::Read(MessagePieces* message) {
  pieces_.clear();
  slices_.clear();
  message_.Clear();
  call_->Read(&message_, nullptr);
  ended_ = !Await();
  if (ended_ || !message_.Dump(&slices_).ok()) return false;
  for (const grpc::Slice& slice : slices_) {
    pieces_.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  *message = pieces_;
  return true;
}

grpc::Status ByteStream::Finish() {
  finished_ = true;
  if (!ended_) context_.TryCancel();
  grpc::Status status;
  call_->Finish(&status, nullptr);
  Await();
  return status;
}

}  // namespace hydrophone::client
