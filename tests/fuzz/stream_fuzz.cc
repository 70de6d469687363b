// The client's decoder of Extract and GetParameters streams.
//
// An input is a byte of flags (1: the request was validate_only or list_only; 2: GetParameters), then messages: two
// bytes with the length, little-endian, and the message, the last of them cut short where the input ends.
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "client/cpp/parameters_assembler.h"
#include "client/cpp/stream_assembler.h"
#include "google/protobuf/stubs/logging.h"
#include "server/base/crc32.h"
#include "tests/client/cpp/message_cutter.h"
#include "tests/fuzz/require.h"

namespace hydrophone::client {
namespace {

// Counts what it is given; each tensor must be as long as its shape says.
class Received final : public ExtractSink, public ParametersSink {
 public:
  absl::Status OnHeader(const v1::Header& header) override { return Announce(header.tensors(), header.data_bytes()); }
  absl::Status OnHeader(const v1::ParametersHeader& header) override {
    return Announce(header.tensors(), header.data_bytes());
  }
  absl::Status OnTensor(ReceivedTensor tensor) override {
    uint64_t size = ElementSize(tensor.info.dtype());
    for (const uint32_t dimension : tensor.info.shape()) size *= dimension;
    Require(size == tensor.bytes.size(), "a tensor is as long as its shape says");
    ++tensors_;
    bytes_ += size;
    return absl::OkStatus();
  }
  absl::Status OnValues(v1::Values) override {
    ++tensors_;
    return absl::OkStatus();
  }

  // REQUIRES: the stream has ended well.
  void RequireAll() const {
    Require(tensors_ == announced_tensors_, "every announced tensor came");
    Require(bytes_ == announced_bytes_, "every announced byte came");
  }

 private:
  absl::Status Announce(uint32_t tensors, uint64_t bytes) {
    announced_tensors_ = tensors;
    announced_bytes_ = bytes;
    return absl::OkStatus();
  }

  uint64_t announced_tensors_ = 0;
  uint64_t announced_bytes_ = 0;
  uint64_t tensors_ = 0;
  uint64_t bytes_ = 0;
};

// The hand-written reader of chunks agrees with protobuf.
void CompareWithProtobuf(const std::string& message, MessagePieces pieces) {
  const std::optional<ChunkMessage> read = ReadChunkMessage(pieces);
  if (!read.has_value()) return;
  v1::ExtractResponse parsed;
  Require(parsed.ParseFromString(message) && parsed.has_chunk(), "what is read as a chunk is one");
  std::string data;
  for (absl::string_view piece : read->data) data.append(piece.data(), piece.size());
  Require(data == parsed.chunk().data(), "its data is the same");
  parsed.mutable_chunk()->clear_data();
  Require(parsed.chunk().SerializeAsString() == read->fields.SerializeAsString(), "its fields are the same");
}

template <typename Assembler>
void Assemble(const std::vector<std::string>& messages, bool without_tensors) {
  std::mt19937 random(1);
  Received received;
  Assembler assembler(without_tensors, &received);
  absl::Status status;
  for (const std::string& message : messages) {
    const CutMessage cut(message, 1 + message.size() / 2, &random);
    CompareWithProtobuf(message, cut.pieces());
    status = assembler.Add(cut.pieces());
    if (!status.ok()) break;
  }
  if (status.ok()) status = assembler.Finish();
  if (!status.ok()) {
    Require(absl::IsDataLoss(status), "a damaged stream is DATA_LOSS");
  } else if (!without_tensors) {
    received.RequireAll();
  }
}

// The same messages with the checksum of each chunk put right, so that damage gets past it.
template <typename Response>
std::vector<std::string> WithChecksums(std::vector<std::string> messages) {
  for (std::string& message : messages) {
    Response response;
    if (!response.ParseFromString(message) || !response.has_chunk()) continue;
    v1::Chunk* chunk = response.mutable_chunk();
    chunk->set_crc32(ExtendCrc32(0, chunk->data().data(), chunk->data().size()));
    message = response.SerializeAsString();
  }
  return messages;
}

std::vector<std::string> MessagesOf(absl::string_view bytes) {
  std::vector<std::string> messages;
  while (bytes.size() >= 2) {
    const size_t length = static_cast<uint8_t>(bytes[0]) | static_cast<size_t>(static_cast<uint8_t>(bytes[1])) << 8;
    messages.emplace_back(bytes.substr(2, length));
    bytes.remove_prefix(2 + messages.back().size());
  }
  return messages;
}

}  // namespace
}  // namespace hydrophone::client

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hydrophone::client;
  google::protobuf::SetLogHandler(nullptr);  // it writes a line for each string that is not UTF-8
  if (size == 0) return 0;
  const bool without_tensors = (data[0] & 1) != 0;
  const auto messages = MessagesOf({reinterpret_cast<const char*>(data) + 1, size - 1});
  if ((data[0] & 2) != 0) {
    Assemble<ParametersAssembler>(messages, without_tensors);
    Assemble<ParametersAssembler>(WithChecksums<hydrophone::v1::GetParametersResponse>(messages), without_tensors);
  } else {
    Assemble<StreamAssembler>(messages, without_tensors);
    Assemble<StreamAssembler>(WithChecksums<hydrophone::v1::ExtractResponse>(messages), without_tensors);
  }
  return 0;
}
