#include "tests/fakes/fake_server.h"

namespace hydrophone {
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
  model.eos_token_ids = {256};
  model.loading_notes = {"a note"};
  model.weights_sha256 = "weights-digest";
  model.weights_dtype = "float16";
  model.tokenizer_sha256 = "tokenizer-digest";
  compute.numerics = "fake-numerics";
  compute.instruction_set = "fake instructions";
  compute.libtorch_version = "2.13.0";
}

}  // namespace hydrophone
