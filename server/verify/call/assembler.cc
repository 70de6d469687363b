#include "server/verify/call/assembler.h"

#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "server/answer/element_sums.h"

namespace hydrophone {
namespace {

absl::Status Damaged(uint32_t tensor, absl::string_view what) {
  return absl::InternalError(absl::StrCat("tensor ", tensor, " of the stream: ", what));
}

size_t Elements(const v1::TensorInfo& info) {
  size_t elements = 1;
  for (uint32_t dimension : info.shape()) elements *= dimension;
  return elements;
}

}  // namespace

absl::Status CaptureAssembler::Add(const Frame& frame) {
  std::string bytes = frame.head;
  if (frame.tail_size > 0) bytes.append(reinterpret_cast<const char*>(frame.tail), frame.tail_size);
  v1::ExtractResponse message;
  if (!message.ParseFromString(bytes)) return absl::InternalError("a message of the stream does not parse");
  if (!message.has_chunk()) return absl::OkStatus();

  v1::Chunk& chunk = *message.mutable_chunk();
  uint32_t number = chunk.tensor();
  auto [entry, first] = partials_.try_emplace(number);
  Partial& partial = entry->second;
  if (first != chunk.has_info()) return Damaged(number, "its description did not come with its first chunk, once");
  if (first) {
    partial.tensor.values.resize(Elements(chunk.info()));
    partial.tensor.info = std::move(*chunk.mutable_info());
  }
  const std::string& data = chunk.data();
  if (Crc32({reinterpret_cast<const std::byte*>(data.data()), data.size()}) != chunk.crc32()) {
    return Damaged(number, "a chunk's checksum is wrong");
  }
  uint64_t room = partial.tensor.values.size() * sizeof(float) - partial.received;
  if (chunk.offset() != partial.received || data.size() > room) {
    return Damaged(number, "a chunk does not continue the one before");
  }
  if (!data.empty()) {
    std::memcpy(reinterpret_cast<char*>(partial.tensor.values.data()) + partial.received, data.data(), data.size());
  }
  partial.received += data.size();
  return absl::OkStatus();
}

absl::StatusOr<std::map<uint32_t, AssembledTensor>> CaptureAssembler::Finish() {
  std::map<uint32_t, AssembledTensor> tensors;
  for (auto& [number, partial] : partials_) {
    if (partial.received != partial.tensor.values.size() * sizeof(float)) return Damaged(number, "it is not complete");
    tensors.emplace(number, std::move(partial.tensor));
  }
  partials_.clear();
  return tensors;
}

}  // namespace hydrophone
