#include "client/cpp/parameters_assembler.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone::client {

absl::Status ParametersAssembler::Add(MessagePieces message) {
  if (finished_) return Misplaced("a message after the trailer");
  if (std::optional<ChunkMessage> chunk = ReadChunkMessage(message)) return AddChunk(&chunk->fields, chunk->data);
  v1::GetParametersResponse other;
  if (!ReadMessage(message, &other)) return Misplaced("a message that is no GetParametersResponse");
  if (other.has_header()) return AddHeader(other.header());
  if (other.has_trailer()) return AddTrailer(other.trailer());
  if (!other.has_chunk()) return Misplaced("a message of a kind that this client does not know");
  const absl::string_view data = other.chunk().data();
  return AddChunk(other.mutable_chunk(), {data});
}

absl::Status ParametersAssembler::AddHeader(const v1::ParametersHeader& header) {
  if (started()) return Misplaced("a second header");
  tensors_.emplace(header.tensors(), header.data_bytes());
  return sink_.OnHeader(header);
}

absl::Status ParametersAssembler::AddChunk(v1::Chunk* chunk, MessagePieces data) {
  if (!started()) return Misplaced("the first message is not the header");
  if (list_only_) return Misplaced("a tensor in the answer to list_only");
  absl::StatusOr<std::optional<ReceivedTensor>> complete = tensors_->AddChunk(chunk, data);
  if (!complete.ok()) return complete.status();
  return complete->has_value() ? sink_.OnTensor(**std::move(complete)) : absl::OkStatus();
}

absl::Status ParametersAssembler::AddTrailer(const v1::ParametersTrailer& trailer) {
  if (!started()) return Misplaced("the first message is not the header");
  finished_ = true;
  if (!list_only_) {
    if (absl::Status all = tensors_->Finish(trailer.tensors(), trailer.data_bytes()); !all.ok()) return all;
  }
  return sink_.OnTrailer(trailer);
}

absl::Status ParametersAssembler::Finish() const {
  if (finished_) return absl::OkStatus();
  if (!started()) return absl::DataLossError("cut stream: it ended before its header");
  return absl::DataLossError(absl::StrCat("cut stream: it ended without a trailer, after ", tensors_->Progress()));
}

}  // namespace hydrophone::client
