#include "tests/fakes/fake_server.h"

#include <memory>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

constexpr absl::string_view kSpecial = "<|endoftext|>";

std::vector<std::string> Joined(const std::vector<Violation>& violations) {
  std::vector<std::string> lines;
  for (const Violation& violation : violations) {
    lines.push_back(absl::StrCat(violation.field, ": ", violation.description));
  }
  return lines;
}

}  // namespace

ByteTokenizer::ByteTokenizer() {
  for (int byte = 0; byte < 256; ++byte) {
    if (byte > ' ' && byte < 0x7F) {
      pieces_.push_back(std::string(1, static_cast<char>(byte)));
    } else {
      int point = 0x100 + byte;
      pieces_.push_back({static_cast<char>(0xC0 | (point >> 6)), static_cast<char>(0x80 | (point & 0x3F))});
    }
  }
  pieces_.emplace_back(kSpecial);
}

std::vector<EncodedToken> ByteTokenizer::Encode(absl::string_view bytes, SpecialTokens specials) const {
  std::vector<EncodedToken> tokens;
  for (uint32_t at = 0; at < bytes.size();) {
    bool special = specials == SpecialTokens::kAsTokens && absl::StartsWith(bytes.substr(at), kSpecial);
    uint32_t size = special ? static_cast<uint32_t>(kSpecial.size()) : 1;
    tokens.push_back({special ? kBos : static_cast<uint8_t>(bytes[at]), at, at + size});
    at += size;
  }
  return tokens;
}

absl::StatusOr<std::string> ByteTokenizer::Decode(absl::Span<const uint32_t> ids) const {
  std::string bytes;
  for (uint32_t id : ids) {
    if (id > kBos) return absl::InvalidArgumentError("no such id");
    if (id == kBos) {
      bytes.append(kSpecial.data(), kSpecial.size());
    } else {
      bytes += static_cast<char>(id);
    }
  }
  return bytes;
}

FakeServer::FakeServer() {
  model.name = "fake-gpt2";
  model.architecture = "gpt2";
  model.n_layer = 3;
  model.n_embd = 8;
  model.n_head = 2;
  model.n_inner = 20;
  model.n_positions = 12;
  model.vocab_size = 257;
  model.parameters = 1234;
  model.activation_function = "gelu_new";
  model.layer_norm_epsilon = 1e-5;
  model.weights_sha256 = "weights-digest";
  model.weights_dtype = "float16";
  model.tokenizer_sha256 = "tokenizer-digest";
  compute.numerics = "fake-numerics";
  compute.libtorch_version = "2.13.0";
}

std::vector<std::string> Lines(const Violations& violations) { return Joined(violations.kept()); }
std::vector<std::string> Lines(const absl::Status& status) { return Joined(ViolationsOf(status)); }

TensorView TensorOf(std::vector<int64_t> shape, const std::vector<float>& values) {
  auto storage = std::make_shared<const std::vector<float>>(values);
  TensorView view;
  view.shape = std::move(shape);
  view.data = reinterpret_cast<const std::byte*>(storage->data());
  view.owner = storage;
  return view;
}

TensorView CountingTensor(std::vector<int64_t> shape) {
  TensorView sized;
  sized.shape = shape;
  std::vector<float> values(sized.elements());
  std::iota(values.begin(), values.end(), 0.0f);
  return TensorOf(std::move(shape), values);
}

}  // namespace hydrophone
