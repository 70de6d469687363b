// What a server knows when it reads a request, for tests of planning and answering.
#ifndef HYDROPHONE_TESTS_FAKES_FAKE_SERVER_H_
#define HYDROPHONE_TESTS_FAKES_FAKE_SERVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/core/errors.h"
#include "server/core/limits.h"
#include "server/core/model_info.h"
#include "server/core/tensor.h"
#include "server/plan/inputs/extract_call.h"
#include "tests/fakes/byte_tokenizer.h"
#include "tests/fakes/text_proto.h"

namespace hydrophone {

// Three blocks of width 8, a context of 12 tokens, 257 tokens of vocabulary. A test changes what it is about.
struct FakeServer {
  FakeServer();
  RequestContext context() const { return {model, compute, tokenizer, limits, "0.1.0"}; }

  ModelInfo model;
  ComputeInfo compute;
  ByteTokenizer tokenizer;
  Limits limits;
};

// The kept violations, each as "field: description".
std::vector<std::string> Lines(const Violations& violations);
std::vector<std::string> Lines(const absl::Status& status);

// The values 0, 1, 2, ... in `shape`, in memory of their own.
TensorView CountingTensor(std::vector<int64_t> shape);
TensorView TensorOf(std::vector<int64_t> shape, const std::vector<float>& values);

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAKE_SERVER_H_
