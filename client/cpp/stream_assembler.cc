#include "client/cpp/stream_assembler.h"

#include <algorithm>
#include <string>
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

absl::Status Mismatch(const std::string& what, uint64_t got, uint64_t expected) {
  return absl::DataLossError(absl::StrCat("damaged stream: ", what, ": got ", got, ", expected ", expected));
}

absl::Status Misplaced(const char* what) { return absl::DataLossError(absl::StrCat("damaged stream: ", what)); }

absl::Status NoHeader() { return Misplaced("the first message is not the header"); }

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

absl::Status StreamAssembler::Add(MessagePieces message) {
  if (finished_) return Misplaced("a message after the trailer");
  if (std::optional<ChunkMessage> chunk = ReadChunkMessage(message)) {
    return header_.has_value() ? AddChunk(&chunk->fields, chunk->data) : NoHeader();
  }
  std::optional<v1::ExtractResponse> other = ReadMessage(message);
  return other.has_value() ? AddMessage(*std::move(other)) : Misplaced("a message that is no ExtractResponse");
}

absl::Status StreamAssembler::AddMessage(v1::ExtractResponse message) {
  if (!header_.has_value() && message.part_case() != v1::ExtractResponse::kHeader) return NoHeader();
  switch (message.part_case()) {
    case v1::ExtractResponse::kHeader:
      return AddHeader(message.header());
    case v1::ExtractResponse::kInput:
      return AddInput(message.mutable_input());
    case v1::ExtractResponse::kChunk: {
      const absl::string_view data = message.chunk().data();
      return AddChunk(message.mutable_chunk(), {data});
    }
    case v1::ExtractResponse::kValues:
      return AddValues(message.mutable_values());
    case v1::ExtractResponse::kTrailer:
      return AddTrailer(message.trailer());
    case v1::ExtractResponse::PART_NOT_SET:
      break;
  }
  return Misplaced("a message of a kind that this client does not know");
}

absl::Status StreamAssembler::Finish() const {
  if (finished_) return absl::OkStatus();
  if (!header_.has_value()) return absl::DataLossError("cut stream: it ended before its header");
  if (validate_only_ && inputs_ == header_->inputs()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("cut stream: it ended without a trailer, after ", inputs_, " of ",
                                          header_->inputs(), " inputs, ", complete_.size(), " of ", header_->tensors(),
                                          " tensors and ", data_bytes_, " of ", header_->data_bytes(), " bytes"));
}

absl::Status StreamAssembler::AddHeader(const v1::Header& header) {
  if (header_.has_value()) return Misplaced("a second header");
  header_ = header;
  return sink_.OnHeader(header);
}

absl::Status StreamAssembler::AddInput(v1::InputInfo* input) {
  if (inputs_ == header_->inputs()) return Mismatch("inputs", uint64_t{inputs_} + 1, header_->inputs());
  if (input->index() != inputs_) return Mismatch("an input's index", input->index(), inputs_);
  ++inputs_;
  return sink_.OnInput(std::move(*input));
}

absl::Status StreamAssembler::CheckCaptureMayCome(uint32_t tensor) const {
  if (inputs_ != header_->inputs()) return Mismatch("inputs before the first capture", inputs_, header_->inputs());
  if (validate_only_) return Misplaced("a capture in the answer to validate_only");
  if (tensor >= header_->tensors()) {
    return absl::DataLossError(absl::StrCat("damaged stream: got tensor ", tensor, ", but the header announced ",
                                            header_->tensors(), " tensors"));
  }
  if (complete_.count(tensor) != 0) return Misplaced("more of a tensor that was complete");
  return absl::OkStatus();
}

absl::Status StreamAssembler::StartTensor(v1::Chunk* chunk) {
  if (!chunk->has_info()) return Misplaced("a tensor's first chunk does not say which tensor it is");
  const auto size = SizeOf(chunk->info(), header_->data_bytes() - announced_bytes_);
  if (!size.has_value()) {
    return absl::DataLossError(absl::StrCat("damaged stream: tensor ", chunk->info().name(), " has type ",
                                            chunk->info().dtype(), " and a shape that does not fit the ",
                                            header_->data_bytes(), " bytes that the header announced"));
  }
  announced_bytes_ += *size;
  Partial& partial = partial_[chunk->tensor()];
  partial.size = *size;
  partial.info = std::move(*chunk->mutable_info());
  return absl::OkStatus();
}

absl::Status StreamAssembler::AddChunk(v1::Chunk* chunk, MessagePieces data) {
  const uint32_t number = chunk->tensor();
  if (absl::Status status = CheckCaptureMayCome(number); !status.ok()) return status;
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
  data_bytes_ += data_size;
  return partial.bytes.size() == partial.size ? CompleteTensor(number) : absl::OkStatus();
}

absl::Status StreamAssembler::AppendData(const v1::Chunk& chunk, MessagePieces data, uint64_t data_size,
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

absl::Status StreamAssembler::CompleteTensor(uint32_t tensor) {
  auto node = partial_.extract(tensor);
  complete_.insert(tensor);
  return sink_.OnTensor({std::move(node.mapped().info), node.mapped().bytes.Finish()});
}

absl::Status StreamAssembler::AddValues(v1::Values* values) {
  if (absl::Status status = CheckCaptureMayCome(values->tensor()); !status.ok()) return status;
  if (partial_.count(values->tensor()) != 0) return Misplaced("one tensor comes both as chunks and as values");
  complete_.insert(values->tensor());
  return sink_.OnValues(std::move(*values));
}

absl::Status StreamAssembler::AddTrailer(const v1::Trailer& trailer) {
  finished_ = true;
  if (inputs_ != header_->inputs()) return Mismatch("inputs", inputs_, header_->inputs());
  if (!validate_only_) {
    if (!partial_.empty()) {
      const Partial& partial = partial_.begin()->second;
      return Mismatch(absl::StrCat("bytes of ", partial.info.name()), partial.bytes.size(), partial.size);
    }
    if (complete_.size() != header_->tensors()) return Mismatch("tensors", complete_.size(), header_->tensors());
    if (data_bytes_ != header_->data_bytes()) return Mismatch("bytes", data_bytes_, header_->data_bytes());
    if (trailer.tensors() != header_->tensors()) {
      return Mismatch("the trailer's tensors", trailer.tensors(), header_->tensors());
    }
    if (trailer.data_bytes() != header_->data_bytes()) {
      return Mismatch("the trailer's bytes", trailer.data_bytes(), header_->data_bytes());
    }
  }
  return sink_.OnTrailer(trailer);
}

}  // namespace hydrophone::client
