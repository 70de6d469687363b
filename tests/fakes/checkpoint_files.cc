#include "tests/fakes/checkpoint_files.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hydrophone {
namespace {

std::string LengthBytes(uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(length >> (8 * i) & 0xff));
  return bytes;
}

size_t Elements(const std::vector<int64_t>& shape) {
  size_t product = 1;
  for (int64_t dimension : shape) product *= static_cast<size_t>(dimension);
  return product;
}

// Good for SmallValue's numbers only: they need no rounding and are normal in all three types, or 0.
uint16_t ToBfloat16(float value) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16); }
uint16_t ToFloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (value == 0) return 0;
  const uint32_t magnitude = ((bits & 0x7fffffffu) >> 13) - ((127u - 15u) << 10);
  return static_cast<uint16_t>((bits >> 16 & 0x8000u) | magnitude);
}

template <typename T>
void Append(std::string& bytes, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

}  // namespace

TempDirectory::TempDirectory() {
  std::string pattern = ::testing::TempDir() + "/checkpoint-XXXXXX";
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDirectory::File(absl::string_view name) const { return absl::StrCat(path_, "/", name); }

void TempDirectory::Write(absl::string_view name, absl::string_view bytes) const {
  std::ofstream file(File(name), std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  EXPECT_TRUE(file.good()) << name;
}

std::string TempDirectory::Read(absl::string_view name) const {
  std::ifstream file(File(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string SafetensorsFile(const std::vector<FileTensor>& tensors, bool pad) {
  std::vector<std::string> entries = {R"("__metadata__":{"format":"pt"})"};
  std::string data;
  for (const FileTensor& tensor : tensors) {
    entries.push_back(absl::StrCat("\"", tensor.name, "\":{\"dtype\":\"", tensor.dtype, "\",\"shape\":[",
                                   absl::StrJoin(tensor.shape, ","), "],\"data_offsets\":[", data.size(), ",",
                                   data.size() + tensor.bytes.size(), "]}"));
    data += tensor.bytes;
  }
  std::string header = absl::StrCat("{", absl::StrJoin(entries, ","), "}");
  // Without padding, make sure that nothing is aligned by chance.
  while (pad ? header.size() % 8 != 0 : header.size() % 4 != 1) header.push_back(' ');
  return absl::StrCat(LengthBytes(header.size()), header, data);
}

std::string SafetensorsWithHeader(absl::string_view header, size_t data_size) {
  return absl::StrCat(LengthBytes(header.size()), header, std::string(data_size, '\0'));
}

std::string SmallConfig() {
  return R"({"model_type": "gpt2", "n_layer": 2, "n_embd": 4, "n_head": 2, "n_positions": 5, "vocab_size": 7})";
}

float SmallValue(absl::string_view name, size_t index) {
  size_t hash = 17;
  for (char c : name) hash = hash * 31 + static_cast<unsigned char>(c);
  return static_cast<float>(static_cast<int>((hash + 7 * index) % 255) - 127) / 64;
}

FileTensor SmallTensor(const std::string& name, const std::string& dtype, std::vector<int64_t> shape,
                       const std::string& prefix) {
  FileTensor tensor{prefix + name, dtype, std::move(shape), ""};
  for (size_t i = 0; i < Elements(tensor.shape); ++i) {
    const float value = SmallValue(name, i);
    if (dtype == "F32") Append(tensor.bytes, value);
    if (dtype == "F16") Append(tensor.bytes, ToFloat16(value));
    if (dtype == "BF16") Append(tensor.bytes, ToBfloat16(value));
    if (dtype == "F64") Append(tensor.bytes, double{value});
  }
  return tensor;
}

std::vector<FileTensor> SmallTensors(const std::string& dtype, const std::string& prefix, bool with_lm_head) {
  std::vector<FileTensor> tensors;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    tensors.push_back(SmallTensor(name, dtype, std::move(shape), prefix));
  };
  add("wte.weight", {7, 4});
  add("wpe.weight", {5, 4});
  for (const std::string block : {"h.0.", "h.1."}) {
    for (const std::string norm : {"ln_1", "ln_2"}) {
      add(block + norm + ".weight", {4});
      add(block + norm + ".bias", {4});
    }
    const std::vector<std::pair<std::string, std::vector<int64_t>>> products = {
        {"attn.c_attn", {4, 12}}, {"attn.c_proj", {4, 4}}, {"mlp.c_fc", {4, 16}}, {"mlp.c_proj", {16, 4}}};
    for (const auto& [name, shape] : products) {
      add(block + name + ".weight", shape);
      add(block + name + ".bias", {shape[1]});
    }
  }
  add("ln_f.weight", {4});
  add("ln_f.bias", {4});
  if (with_lm_head) tensors.push_back(SmallTensor("lm_head.weight", dtype, {7, 4}));
  return tensors;
}

void WriteSmallCheckpoint(const TempDirectory& directory, const std::vector<FileTensor>& tensors,
                          const std::string& config) {
  directory.Write("config.json", config);
  directory.Write("model.safetensors", SafetensorsFile(tensors));
}

}  // namespace hydrophone
