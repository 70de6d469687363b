#include "server/answer/chunks.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "google/protobuf/io/coded_stream.h"
#include "server/answer/element_sums.h"
#include "server/base/half.h"

namespace hydrophone {
namespace {

// The tags of a response's chunk and of Chunk.data: both are length-delimited, and have numbers that fit a tag of one
// byte. ChunkFrame writes data behind the other fields, as protobuf does with a message's last field.
constexpr int kLengthDelimited = 2;
constexpr char kChunkTag = (v1::ExtractResponse::kChunkFieldNumber << 3) | kLengthDelimited;
constexpr char kDataTag = (v1::Chunk::kDataFieldNumber << 3) | kLengthDelimited;
static_assert(v1::ExtractResponse::kChunkFieldNumber == 15 && v1::Chunk::kDataFieldNumber == 15);

// The most bytes that a chunk's tags, lengths and checksum take.
constexpr uint64_t kChunkOverhead = 32;

void AppendVarint(uint64_t value, std::string* bytes) {
  uint8_t buffer[10];
  uint8_t* end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, buffer);
  bytes->append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(end - buffer));
}

// Elements as they are sent, with the checksum and the count that go with them.
struct Payload {
  TensorView data;
  ElementSums sums;  // the checksum is of the data as sent, the count of the values as computed
};

// Rounds the elements to a type of two bytes, little-endian, in memory of its own.
Payload Narrowed(absl::Span<const float> elements, v1::Dtype dtype) {
  const bool half = dtype == v1::DTYPE_FLOAT16;
  auto narrow = std::make_shared<std::vector<uint16_t>>(elements.size());
  std::transform(elements.begin(), elements.end(), narrow->begin(), half ? HalfOf : BfloatOf);
  Payload payload;
  payload.data.dtype = half ? Dtype::kFloat16 : Dtype::kBfloat16;
  payload.data.shape = {static_cast<int64_t>(elements.size())};
  payload.data.data = reinterpret_cast<const std::byte*>(narrow->data());
  payload.data.owner = std::move(narrow);
  payload.sums = {Crc32({payload.data.data, payload.data.bytes()}), CountNonfinite(elements)};
  return payload;
}

Payload Encoded(absl::Span<const float> elements, v1::Dtype dtype, std::shared_ptr<const void> owner) {
  if (dtype != v1::DTYPE_FLOAT32) return Narrowed(elements, dtype);
  Payload payload{{}, SumsOf(elements)};
  payload.data.shape = {static_cast<int64_t>(elements.size())};
  payload.data.data = reinterpret_cast<const std::byte*>(elements.data());
  payload.data.owner = std::move(owner);
  return payload;
}

// Puts a chunk's bytes together: see the picture in the header. A chunk without data has no data field.
Frame ChunkFrame(const v1::Chunk& chunk, const TensorView& data) {
  const uint64_t size = data.bytes();
  std::string fields = chunk.SerializeAsString();
  if (size > 0) {
    fields += kDataTag;
    AppendVarint(size, &fields);
  }
  Frame frame;
  frame.head += kChunkTag;
  AppendVarint(fields.size() + size, &frame.head);
  frame.head += fields;
  if (size > 0) {
    frame.tail = data.data;
    frame.tail_size = size;
    frame.owner = data.owner;
  }
  return frame;
}

}  // namespace

uint64_t NextPiece(const ChunkedTensor& tensor, uint64_t sent, const v1::Chunk& chunk, uint64_t max_message_bytes) {
  if (tensor.elements == 0) return 0;
  const uint64_t taken = chunk.ByteSizeLong() + kChunkOverhead;
  const uint64_t budget = max_message_bytes > taken ? max_message_bytes - taken : 0;
  const uint64_t room = std::max<uint64_t>(budget / tensor.element_bytes(), 1);
  const uint64_t rest_of_row = tensor.row - sent % tensor.row;
  if (rest_of_row == tensor.row && tensor.row <= room) {
    return std::min(room / tensor.row * tensor.row, tensor.elements - sent);
  }
  return std::min(room, rest_of_row);
}

EncodedChunk EncodeChunk(v1::Chunk chunk, absl::Span<const float> elements, v1::Dtype dtype,
                         std::shared_ptr<const void> owner) {
  const Payload payload = Encoded(elements, dtype, std::move(owner));
  chunk.set_crc32(payload.sums.crc32);
  return {ChunkFrame(chunk, payload.data), payload.data.bytes(), payload.sums.nonfinite};
}

}  // namespace hydrophone
