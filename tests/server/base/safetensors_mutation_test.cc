// Damages good files at random, always the same way. Whatever comes of it, the parser gives tensors that lie in the
// file and do not overlap, or an error. Meant to be run under sanitizers as well.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "server/base/safetensors_header.h"
#include "tests/fakes/checkpoint_files.h"

namespace hydrophone {
namespace {

constexpr int kRounds = 30'000;

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  std::string Mutate(std::string file) {
    const size_t times = 1 + Below(4);
    for (size_t i = 0; i < times && !file.empty(); ++i) MutateOnce(file);
    return file;
  }

 private:
  size_t Below(size_t limit) { return random_() % limit; }

  void MutateOnce(std::string& file) {
    static const std::vector<std::string> pieces = {"0",
                                                    "9",
                                                    "-",
                                                    "18446744073709551615",
                                                    "9223372036854775807",
                                                    "[",
                                                    "]",
                                                    "{",
                                                    "}",
                                                    "\"",
                                                    ",",
                                                    ":",
                                                    "null",
                                                    "1e9",
                                                    "\\u0000",
                                                    "\"dtype\":",
                                                    "\"__metadata__\":{",
                                                    "F64",
                                                    "BOOL",
                                                    "[[[[",
                                                    "\xff"};
    const size_t place = Below(file.size());
    switch (Below(7)) {
      case 0:
        file[place] = static_cast<char>(Below(256));
        break;
      case 1:
        file[place] = static_cast<char>(file[place] ^ (1 << Below(8)));
        break;
      case 2:
        file.erase(place, 1 + Below(16));
        break;
      case 3:
        file.insert(place, pieces[Below(pieces.size())]);
        break;
      case 4: {
        const std::string copied = file.substr(Below(file.size()), Below(64));
        file.insert(place, copied);
        break;
      }
      case 5:
        file.resize(place);
        break;
      case 6:  // another digit where there is one: sizes and offsets that nearly fit
        for (size_t i = place; i < file.size(); ++i) {
          if (file[i] < '0' || file[i] > '9') continue;
          file[i] = static_cast<char>('0' + Below(10));
          break;
        }
        break;
    }
  }

  std::mt19937 random_;
};

// Makes the length fit again after the header has changed, so that more mutants get past it.
void RepairLength(std::string& file) {
  const size_t end = file.find("}}");
  if (end == std::string::npos || end < 8) return;
  const size_t length = file.find_first_not_of(' ', end + 2) == std::string::npos ? file.size() - 8 : end + 2 - 8;
  for (size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(length >> (8 * i) & 0xff);
}

bool LieInTheFileApart(const std::vector<SafetensorsTensor>& tensors, uint64_t file_size) {
  uint64_t covered = kSafetensorsLengthBytes;
  for (const SafetensorsTensor& tensor : tensors) {
    if (tensor.begin < covered || tensor.end < tensor.begin || tensor.end > file_size) return false;
    covered = tensor.end;
  }
  return true;
}

TEST(SafetensorsMutationTest, DamagedFilesGiveErrorsAndNeverMore) {
  const std::vector<FileTensor> few = {SmallTensor("a", "F32", {3}), SmallTensor("b", "F16", {2, 2}),
                                       SmallTensor("c", "BF16", {1})};
  const std::vector<std::string> good = {SafetensorsFile(few), SafetensorsFile({}),
                                         SafetensorsFile(few, /*pad=*/false)};
  Mutator mutator(20240607);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string file = mutator.Mutate(good[static_cast<size_t>(round) % good.size()]);
    if (round % 2 == 0 && file.size() >= 8) RepairLength(file);
    const absl::StatusOr<std::vector<SafetensorsTensor>> tensors = ParseSafetensorsHeader(file, file.size());
    if (!tensors.ok()) {
      ASSERT_EQ(tensors.status().code(), absl::StatusCode::kDataLoss);
      continue;
    }
    ++accepted;
    ASSERT_TRUE(LieInTheFileApart(*tensors, file.size())) << round;
  }
  // Some only change a name or an element: were none accepted, the mutants would not get far enough to test anything.
  EXPECT_GT(accepted, kRounds / 50);
}

}  // namespace
}  // namespace hydrophone
