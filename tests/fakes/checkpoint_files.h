// Small checkpoints for tests, good ones and bad ones.
#ifndef HYDROPHONE_TESTS_FAKES_CHECKPOINT_FILES_H_
#define HYDROPHONE_TESTS_FAKES_CHECKPOINT_FILES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hydrophone {

// A directory that is removed, with all in it, at the end of the test.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const;
  void Write(absl::string_view name, absl::string_view bytes) const;
  std::string Read(absl::string_view name) const;

 private:
  std::string path_;
};

// A tensor as a file holds it.
struct FileTensor {
  std::string name;
  std::string dtype;  // "F32", ...
  std::vector<int64_t> shape;
  std::string bytes;
};

// A safetensors file of these tensors, in this order. `pad` fills the header to a multiple of 8 bytes, as the library
// does.
std::string SafetensorsFile(const std::vector<FileTensor>& tensors, bool pad = true);

// A safetensors file with any header, and `data_size` zero bytes of data.
std::string SafetensorsWithHeader(absl::string_view header, size_t data_size);

// A GPT-2 of 2 blocks, width 4, 2 heads, inner width 16, 5 positions and 7 tokens.
std::string SmallConfig();

// The value of the small model's parameter `name` (without "transformer.") at `index`: different everywhere, and the
// same number in float32, float16 and bfloat16.
float SmallValue(absl::string_view name, size_t index);

// Its tensors, stored in `dtype`, as Hugging Face names them. lm_head.weight comes last, if at all.
std::vector<FileTensor> SmallTensors(const std::string& dtype = "F32", const std::string& prefix = "transformer.",
                                     bool with_lm_head = false);

// One tensor of SmallValue's numbers.
FileTensor SmallTensor(const std::string& name, const std::string& dtype, std::vector<int64_t> shape,
                       const std::string& prefix = "");

// Writes config.json and model.safetensors.
void WriteSmallCheckpoint(const TempDirectory& directory, const std::vector<FileTensor>& tensors = SmallTensors(),
                          const std::string& config = SmallConfig());

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_CHECKPOINT_FILES_H_
