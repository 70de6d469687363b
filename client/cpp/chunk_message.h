// Reads a stream's messages as they arrive, in pieces, and finds a chunk's data in them.
#ifndef HYDROPHONE_CLIENT_CPP_CHUNK_MESSAGE_H_
#define HYDROPHONE_CLIENT_CPP_CHUNK_MESSAGE_H_

#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message_lite.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// A serialized message, cut anywhere: the pieces' bytes one after the other.
using MessagePieces = absl::Span<const absl::string_view>;

// A chunk whose data was not copied.
struct ChunkMessage {
  v1::Chunk fields;                     // all but data
  std::vector<absl::string_view> data;  // within the message's pieces
};

// Reads a message that is laid out as a server lays out a chunk:
//
// clang-format off
//   Response.chunk tag │ length │ Chunk fields 1-4, in any order │ Chunk.data tag │ length │ data
// clang-format on
//
// with or without data, and nothing after it. nullopt for every other message, well formed or not, which ReadMessage is
// then asked about. What is returned equals what protobuf would have parsed.
std::optional<ChunkMessage> ReadChunkMessage(MessagePieces message);

// Parses any message by protobuf; false when it is not well formed.
bool ReadMessage(MessagePieces message, google::protobuf::MessageLite* read);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CHUNK_MESSAGE_H_
