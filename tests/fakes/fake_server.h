// What requests are planned against: a small model, its tokenizer and its limits.
#ifndef HYDROPHONE_TESTS_FAKES_FAKE_SERVER_H_
#define HYDROPHONE_TESTS_FAKES_FAKE_SERVER_H_

#include "server/core/limits.h"
#include "server/core/model_info.h"
#include "server/plan/inputs/extract_call.h"
#include "tests/fakes/byte_tokenizer.h"

namespace hydrophone {

// Three blocks of width 8, a context of 12 tokens, a vocabulary of 257 tokens. A test changes the members that it is
// about, then takes the context.
struct FakeServer {
  FakeServer();
  RequestContext context() const { return {model, compute, tokenizer, limits, "0.1.0"}; }

  ModelInfo model;
  ComputeInfo compute;
  ByteTokenizer tokenizer;
  Limits limits;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAKE_SERVER_H_
