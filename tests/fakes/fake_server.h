// A small model and a tokenizer of one token a byte, for tests of the wire.
#ifndef HYDROPHONE_TESTS_FAKES_FAKE_SERVER_H_
#define HYDROPHONE_TESTS_FAKES_FAKE_SERVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "server/core/errors.h"
#include "server/core/limits.h"
#include "server/core/model_info.h"
#include "server/core/tensor.h"
#include "server/core/tokenizer.h"
#include "server/plan/inputs/extract_call.h"

namespace hydrophone {

// Each byte is its own token; "<|endoftext|>" is token 256. A piece is the byte itself when it is
// printable ASCII, and U+0100 plus the byte otherwise.
class ByteTokenizer : public Tokenizer {
 public:
  static constexpr uint32_t kBos = 256;

  ByteTokenizer();
  std::vector<EncodedToken> Encode(absl::string_view bytes, SpecialTokens specials) const override;
  absl::StatusOr<std::string> Decode(absl::Span<const uint32_t> ids) const override;
  absl::string_view Piece(uint32_t id) const override { return pieces_[id]; }
  uint32_t vocab_size() const override { return kBos + 1; }
  uint32_t bos_id() const override { return kBos; }
  absl::string_view sha256() const override { return "tokenizer-digest"; }

 private:
  std::vector<std::string> pieces_;
};

// Three blocks of width 8, a context of 12 tokens, 257 tokens of vocabulary. Change what a test is
// about.
struct FakeServer {
  FakeServer();
  RequestContext context() const { return {model, compute, tokenizer, limits, "0.1.0"}; }

  ModelInfo model;
  ComputeInfo compute;
  ByteTokenizer tokenizer;
  Limits limits;
};

// A message from protobuf's text format.
template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// The kept violations, each as "field: description".
std::vector<std::string> Lines(const Violations& violations);
std::vector<std::string> Lines(const absl::Status& status);

// The values 0, 1, 2, ... in `shape`, in memory of their own.
TensorView CountingTensor(std::vector<int64_t> shape);
TensorView TensorOf(std::vector<int64_t> shape, const std::vector<float>& values);

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAKE_SERVER_H_
