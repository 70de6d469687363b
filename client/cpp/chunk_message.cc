#include "client/cpp/chunk_message.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream.h"

namespace hydrophone::client {
namespace {

using google::protobuf::io::CodedInputStream;

constexpr uint32_t Tag(int field, int wire_type) { return static_cast<uint32_t>(field << 3 | wire_type); }
constexpr int kVarint = 0;
constexpr int kLengthDelimited = 2;
constexpr int kFixed32 = 5;

// Lets protobuf read the pieces without a copy.
class PiecesStream final : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit PiecesStream(MessagePieces pieces) : pieces_(pieces) {}

  bool Next(const void** data, int* size) override {
    while (next_ < pieces_.size() && offset_ == pieces_[next_].size()) {
      ++next_;
      offset_ = 0;
    }
    if (next_ == pieces_.size()) return false;
    const size_t count = std::min(pieces_[next_].size() - offset_, kMostBytes);
    *data = pieces_[next_].data() + offset_;
    *size = static_cast<int>(count);
    offset_ += count;
    given_ += count;
    return true;
  }

  void BackUp(int count) override {
    offset_ -= static_cast<size_t>(count);
    given_ -= static_cast<size_t>(count);
  }

  bool Skip(int count) override {
    const void* data;
    for (int size; count > 0; count -= size) {
      if (!Next(&data, &size)) return false;
      if (size > count) {
        BackUp(size - count);
        return true;
      }
    }
    return true;
  }

  int64_t ByteCount() const override { return static_cast<int64_t>(given_); }

 private:
  static constexpr size_t kMostBytes = std::numeric_limits<int>::max();

  const MessagePieces pieces_;
  size_t next_ = 0;    // the index of the next piece
  size_t offset_ = 0;  // how much of it was read
  size_t given_ = 0;
};

bool ReadInfo(CodedInputStream& in, v1::TensorInfo* info) {
  int length;
  if (!in.ReadVarintSizeAsInt(&length)) return false;
  const CodedInputStream::Limit outer = in.PushLimit(length);
  const bool whole = info->MergeFromCodedStream(&in) && in.ConsumedEntireMessage() && in.BytesUntilLimit() == 0;
  in.PopLimit(outer);
  return whole;
}

// Reads one of the fields before data.
bool ReadField(uint32_t tag, CodedInputStream& in, v1::Chunk* chunk) {
  uint32_t number = 0;
  uint64_t offset = 0;
  switch (tag) {
    case Tag(v1::Chunk::kTensorFieldNumber, kVarint):
      if (!in.ReadVarint32(&number)) return false;
      chunk->set_tensor(number);
      return true;
    case Tag(v1::Chunk::kInfoFieldNumber, kLengthDelimited):
      return ReadInfo(in, chunk->mutable_info());
    case Tag(v1::Chunk::kOffsetFieldNumber, kVarint):
      if (!in.ReadVarint64(&offset)) return false;
      chunk->set_offset(offset);
      return true;
    case Tag(v1::Chunk::kCrc32FieldNumber, kFixed32):
      if (!in.ReadLittleEndian32(&number)) return false;
      chunk->set_crc32(number);
      return true;
    default:
      return false;
  }
}

// Reads up to where data begins and returns its size; nullopt when the message is laid out otherwise.
std::optional<size_t> ReadUpToData(CodedInputStream& in, size_t message_size, v1::Chunk* chunk) {
  const auto left = [&] { return static_cast<int64_t>(message_size) - in.CurrentPosition(); };
  int length;
  if (in.ReadTag() != Tag(v1::ExtractResponse::kChunkFieldNumber, kLengthDelimited)) return std::nullopt;
  if (!in.ReadVarintSizeAsInt(&length) || length != left()) return std::nullopt;
  while (left() > 0) {
    const uint32_t tag = in.ReadTag();
    if (tag == Tag(v1::Chunk::kDataFieldNumber, kLengthDelimited)) {
      if (!in.ReadVarintSizeAsInt(&length) || length != left()) return std::nullopt;
      return static_cast<size_t>(length);
    }
    if (!ReadField(tag, in, chunk)) return std::nullopt;
  }
  return 0;
}

size_t SizeOf(MessagePieces message) {
  size_t size = 0;
  for (absl::string_view piece : message) size += piece.size();
  return size;
}

// The last `size` bytes.
std::vector<absl::string_view> Tail(MessagePieces message, size_t size) {
  std::vector<absl::string_view> tail;
  size_t before = SizeOf(message) - size;
  for (absl::string_view piece : message) {
    const size_t skipped = std::min(before, piece.size());
    before -= skipped;
    if (skipped < piece.size()) tail.push_back(piece.substr(skipped));
  }
  return tail;
}

}  // namespace

std::optional<ChunkMessage> ReadChunkMessage(MessagePieces message) {
  const size_t message_size = SizeOf(message);
  if (message_size > static_cast<size_t>(std::numeric_limits<int>::max())) return std::nullopt;
  PiecesStream stream(message);
  CodedInputStream in(&stream);
  ChunkMessage chunk;
  const std::optional<size_t> data_size = ReadUpToData(in, message_size, &chunk.fields);
  if (!data_size.has_value()) return std::nullopt;
  chunk.data = Tail(message, *data_size);
  return chunk;
}

bool ReadMessage(MessagePieces message, google::protobuf::MessageLite* read) {
  PiecesStream stream(message);
  return read->ParseFromZeroCopyStream(&stream);
}

}  // namespace hydrophone::client
