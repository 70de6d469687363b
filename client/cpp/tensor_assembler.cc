#include "client/cpp/tensor_assembler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/crc32.h"

namespace hydrophone::client {
namespace {

// The most bytes that are reserved for a tensor before they arrive, since a shape alone must not cost memory.
constexpr uint64_t kMaxReserveBytes = uint64_t{256} << 20;

// Makes room for the first `needed` of a tensor's `size` bytes: for all of them if that is not too many, else for twice
// as many as there are, so that the bytes moved in all are no more than those received.
bool MakeRoom(uint64_t needed, uint64_t size, TensorBytesBuilder* bytes) {
  if (needed <= bytes->capacity()) return true;
  return bytes->Reserve(static_cast<size_t>(std::min(size, std::max(kMaxReserveBytes, 2 * needed))));
}

// Bytes that are read for the checksum and then copied: few enough to stay in the first cache in between.
constexpr size_t kPieceBytes = size_t{16} << 10;

// Appends `bytes`, for which there is room; their CRC-32 continues `crc`.
uint32_t AppendWithCrc32(absl::string_view bytes, uint32_t crc, TensorBytesBuilder* builder) {
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, kPieceBytes);
    crc = ExtendCrc32(crc, piece.data(), piece.size());
    builder->Append(piece);
    bytes.remove_prefix(piece.size());
  }
  return crc;
}

uint64_t SizeOf(MessagePieces pieces) {
  uint64_t size = 0;
  for (absl::string_view piece : pieces) size += piece.size();
  return size;
}

// The tensor's size in bytes; nullopt for an unknown type, or when it exceeds `limit`.
std::optional<uint64_t> SizeOf(const v1::TensorInfo& info, uint64_t limit) {
  uint64_t size = ElementSize(info.dtype());
  if (size == 0) return std::nullopt;
  const auto& shape = info.shape();
  if (std::find(shape.begin(), shape.end(), 0U) != shape.end()) return 0;
  for (const uint32_t dimension : shape) {
    if (size > limit / dimension) return std::nullopt;
    size *= dimension;
  }
  return size;
}

}  // namespace

absl::Status Misplaced(const char* what) { return absl::DataLossError(absl::StrCat("damaged stream: ", what)); }

absl::Status Mismatch(const std::string& what, uint64_t got, uint64_t expected) {
  return absl::DataLossError(absl::StrCat("damaged stream: ", what, ": got ", got, ", expected ", expected));
}

absl::Status TensorAssembler::CheckMayCome(uint32_t tensor) const {
  if (tensor >= tensors_) {
    return absl::DataLossError(
        absl::StrCat("damaged stream: got tensor ", tensor, ", but the header announced ", tensors_, " tensors"));
  }
  if (complete_.count(tensor) != 0) return Misplaced("more of a tensor that was complete");
  return absl::OkStatus();
}

absl::Status TensorAssembler::StartTensor(v1::Chunk* chunk) {
  if (!chunk->has_info()) return Misplaced("a tensor's first chunk does not say which tensor it is");
  const auto size = SizeOf(chunk->info(), data_bytes_ - announced_bytes_);
  if (!size.has_value()) {
    return absl::DataLossError(absl::StrCat("damaged stream: tensor ", chunk->info().name(), " has type ",
                                            chunk->info().dtype(), " and a shape that does not fit the ", data_bytes_,
                                            " bytes that the header announced"));
  }
  announced_bytes_ += *size;
  Partial& partial = partial_[chunk->tensor()];
  partial.size = *size;
  partial.info = std::move(*chunk->mutable_info());
  return absl::OkStatus();
}

absl::StatusOr<std::optional<ReceivedTensor>> TensorAssembler::AddChunk(v1::Chunk* chunk, MessagePieces data) {
  const uint32_t number = chunk->tensor();
  if (absl::Status status = CheckMayCome(number); !status.ok()) return status;
  auto found = partial_.find(number);
  if (found == partial_.end()) {
    if (absl::Status status = StartTensor(chunk); !status.ok()) return status;
    found = partial_.find(number);
  } else if (chunk->has_info()) {
    return Misplaced("a tensor is described twice");
  }
  Partial& partial = found->second;
  const uint64_t received = partial.bytes.size();
  const uint64_t data_size = SizeOf(data);
  const std::string& name = partial.info.name();
  if (chunk->offset() != received) {
    return Mismatch(absl::StrCat("offset of a chunk of ", name), chunk->offset(), received);
  }
  if (data_size > partial.size - received) {
    return Mismatch(absl::StrCat("size of ", name), received + data_size, partial.size);
  }
  if (absl::Status status = AppendData(*chunk, data, data_size, &partial); !status.ok()) return status;
  received_bytes_ += data_size;
  if (partial.bytes.size() < partial.size) return std::nullopt;
  auto node = partial_.extract(number);
  complete_.insert(number);
  return ReceivedTensor{std::move(node.mapped().info), node.mapped().bytes.Finish()};
}

absl::Status TensorAssembler::AppendData(const v1::Chunk& chunk, MessagePieces data, uint64_t data_size,
                                         Partial* partial) {
  if (!MakeRoom(partial->bytes.size() + data_size, partial->size, &partial->bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for the ", partial->size, " bytes of ", partial->info.name()));
  }
  uint32_t crc = 0;
  for (absl::string_view piece : data) crc = AppendWithCrc32(piece, crc, &partial->bytes);
  if (crc == chunk.crc32()) return absl::OkStatus();
  return Mismatch(absl::StrCat("CRC-32 of a chunk of ", partial->info.name(), " at byte ", chunk.offset()), crc,
                  chunk.crc32());
}

absl::Status TensorAssembler::AddWhole(uint32_t tensor) {
  if (absl::Status status = CheckMayCome(tensor); !status.ok()) return status;
  if (partial_.count(tensor) != 0) return Misplaced("one tensor comes both as chunks and as values");
  complete_.insert(tensor);
  return absl::OkStatus();
}

absl::Status TensorAssembler::Finish(uint32_t trailer_tensors, uint64_t trailer_bytes) const {
  if (!partial_.empty()) {
    const Partial& partial = partial_.begin()->second;
    return Mismatch(absl::StrCat("bytes of ", partial.info.name()), partial.bytes.size(), partial.size);
  }
  if (complete_.size() != tensors_) return Mismatch("tensors", complete_.size(), tensors_);
  if (received_bytes_ != data_bytes_) return Mismatch("bytes", received_bytes_, data_bytes_);
  if (trailer_tensors != tensors_) return Mismatch("the trailer's tensors", trailer_tensors, tensors_);
  if (trailer_bytes != data_bytes_) return Mismatch("the trailer's bytes", trailer_bytes, data_bytes_);
  return absl::OkStatus();
}

std::string TensorAssembler::Progress() const {
  return absl::StrCat(complete_.size(), " of ", tensors_, " tensors and ", received_bytes_, " of ", data_bytes_,
                      " bytes");
}

}  // namespace hydrophone::client
