#include "tests/fakes/fake_server.h"

#include <memory>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

std::vector<std::string> Joined(const std::vector<Violation>& violations) {
  std::vector<std::string> lines;
  for (const Violation& violation : violations) {
    lines.push_back(absl::StrCat(violation.field, ": ", violation.description));
  }
  return lines;
}

}  // namespace

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
