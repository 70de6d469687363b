#include "tests/bench/client/callers.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/client.h"

namespace hydrophone::bench {
namespace {

// Notes what arrives and when, and keeps the tensors if `keep` is set.
class TimingSink : public client::ExtractSink {
 public:
  TimingSink(bool keep, Sample* sample) : keep_(keep), sample_(*sample) {}

  absl::Status OnTensor(client::ReceivedTensor tensor) override {
    if (sample_.bytes == 0) sample_.first = absl::Now();
    sample_.bytes += tensor.bytes.size();
    if (keep_) kept_.push_back(std::move(tensor));
    return absl::OkStatus();
  }

  absl::Status OnTrailer(const v1::Trailer& trailer) override {
    sample_.queue_seconds = trailer.queue_seconds();
    sample_.compute_seconds = trailer.compute_seconds();
    sample_.batch_tokens = trailer.batch_tokens();
    return absl::OkStatus();
  }

 private:
  const bool keep_;
  Sample& sample_;
  std::vector<client::ReceivedTensor> kept_;
};

class ClientCaller : public Caller {
 public:
  explicit ClientCaller(const std::string& address) {
    client::ClientOptions options;
    options.address = address;
    client_ = client::Client::Connect(std::move(options));
  }

  absl::Status Call(const Command& command, size_t index, Sample* sample) override {
    TimingSink sink(command.keep_answers, sample);
    sample->start = absl::Now();
    absl::Status status = client_->Extract(command.requests[index], &sink);
    sample->end = absl::Now();
    return status;
  }

 private:
  std::unique_ptr<client::Client> client_;
};

// An ExtractResponse that is a chunk begins with this byte: the tag of field 15, length-delimited.
constexpr uint8_t kChunkTag = 15 << 3 | 2;

// Whether captures have begun to come: headers and inputs are sent before anything is computed.
bool HoldsCapture(Way way, const grpc::ByteBuffer& message) {
  if (way != Way::kBytes) return true;
  std::vector<grpc::Slice> slices;  // they refer to the message's memory
  return message.Dump(&slices).ok() && !slices.empty() && slices[0].size() > 0 && *slices[0].begin() == kChunkTag;
}

// One streaming call, driven by this thread alone through a completion queue of its own.
class BytesCall {
 public:
  BytesCall(grpc::GenericStub& stub, const std::string& method) : call_(stub.PrepareCall(&context_, method, &queue_)) {
    call_->StartCall(&started_);
    Await();
  }

  ~BytesCall() {
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) continue;
  }

  void Send(const std::string& body) {
    grpc::Slice slice(body);
    call_->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), &written_);
    Await();
  }

  // Reads the next message; false at the stream's end.
  bool Receive(grpc::ByteBuffer* message) {
    call_->Read(message, &read_);
    return Await();
  }

  absl::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, &finished_);
    Await();
    if (status.ok()) return absl::OkStatus();
    const int code = static_cast<int>(status.error_code());
    return absl::UnknownError(absl::StrCat("status ", code, ": ", status.error_message()));
  }

 private:
  bool Await() {
    void* tag;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  char started_ = 0, written_ = 0, read_ = 0, finished_ = 0;  // their addresses are the queue's tags
};

class BytesCaller : public Caller {
 public:
  explicit BytesCaller(const std::string& address) : stub_(MakeChannel(address)) {}

  absl::Status Call(const Command& command, size_t index, Sample* sample) override {
    std::vector<grpc::ByteBuffer> kept;
    sample->start = absl::Now();
    BytesCall call(stub_, command.method);
    call.Send(command.bodies[index]);
    grpc::ByteBuffer message;
    while (call.Receive(&message)) {
      if (sample->first == absl::Time() && HoldsCapture(command.way, message)) sample->first = absl::Now();
      sample->bytes += message.Length();
      if (command.keep_answers) kept.push_back(message);
      message.Clear();
    }
    absl::Status status = call.Finish();
    sample->end = absl::Now();
    return status;
  }

 private:
  static std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }

  grpc::GenericStub stub_;
};

}  // namespace

std::unique_ptr<Caller> MakeClientCaller(const std::string& address) { return std::make_unique<ClientCaller>(address); }

std::unique_ptr<Caller> MakeBytesCaller(const std::string& address) { return std::make_unique<BytesCaller>(address); }

}  // namespace hydrophone::bench
