#include "client/cpp/stream_assembler.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone::client {
namespace {

absl::Status NoHeader() { return Misplaced("the first message is not the header"); }

}  // namespace

absl::Status StreamAssembler::Add(MessagePieces message) {
  if (finished_) return Misplaced("a message after the trailer");
  if (std::optional<ChunkMessage> chunk = ReadChunkMessage(message)) {
    return header_.has_value() ? AddChunk(&chunk->fields, chunk->data) : NoHeader();
  }
  v1::ExtractResponse other;
  return ReadMessage(message, &other) ? AddMessage(std::move(other))
                                      : Misplaced("a message that is no ExtractResponse");
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
                                          header_->inputs(), " inputs, ", tensors_->Progress()));
}

absl::Status StreamAssembler::AddHeader(const v1::Header& header) {
  if (header_.has_value()) return Misplaced("a second header");
  header_ = header;
  tensors_.emplace(header.tensors(), header.data_bytes());
  return sink_.OnHeader(header);
}

absl::Status StreamAssembler::AddInput(v1::InputInfo* input) {
  if (inputs_ == header_->inputs()) return Mismatch("inputs", uint64_t{inputs_} + 1, header_->inputs());
  if (input->index() != inputs_) return Mismatch("an input's index", input->index(), inputs_);
  ++inputs_;
  return sink_.OnInput(std::move(*input));
}

absl::Status StreamAssembler::CheckCaptureMayCome() const {
  if (inputs_ != header_->inputs()) return Mismatch("inputs before the first capture", inputs_, header_->inputs());
  if (validate_only_) return Misplaced("a capture in the answer to validate_only");
  return absl::OkStatus();
}

absl::Status StreamAssembler::AddChunk(v1::Chunk* chunk, MessagePieces data) {
  if (absl::Status status = CheckCaptureMayCome(); !status.ok()) return status;
  absl::StatusOr<std::optional<ReceivedTensor>> complete = tensors_->AddChunk(chunk, data);
  if (!complete.ok()) return complete.status();
  return complete->has_value() ? sink_.OnTensor(**std::move(complete)) : absl::OkStatus();
}

absl::Status StreamAssembler::AddValues(v1::Values* values) {
  if (absl::Status status = CheckCaptureMayCome(); !status.ok()) return status;
  if (absl::Status status = tensors_->AddWhole(values->tensor()); !status.ok()) return status;
  return sink_.OnValues(std::move(*values));
}

absl::Status StreamAssembler::AddTrailer(const v1::Trailer& trailer) {
  finished_ = true;
  if (inputs_ != header_->inputs()) return Mismatch("inputs", inputs_, header_->inputs());
  if (!validate_only_) {
    if (absl::Status all = tensors_->Finish(trailer.tensors(), trailer.data_bytes()); !all.ok()) return all;
  }
  return sink_.OnTrailer(trailer);
}

}  // namespace hydrophone::client
