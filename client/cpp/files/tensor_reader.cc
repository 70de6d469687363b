#include "client/cpp/files/tensor_reader.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/cpp/received.h"
#include "server/base/dtype.h"
#include "server/base/messages.h"
#include "server/base/read_file.h"
#include "server/base/safetensors_header.h"

namespace hydrophone::client {
namespace {

constexpr char kSafetensors[] = ".safetensors";

// A request's tensors must fit into its message, so no file of more bytes is of use.
constexpr uint64_t kMaxTensorFileBytes = uint64_t{1} << 32;

absl::Status Invalid(absl::string_view what) { return absl::InvalidArgumentError(std::string(what)); }

// An unsigned little-endian number.
uint64_t ReadLittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

// A tensor of this type and shape, if `data` has its size.
absl::StatusOr<v1::Tensor> MakeTensor(v1::Dtype dtype, const std::vector<uint64_t>& shape, absl::string_view data) {
  v1::Tensor tensor;
  tensor.set_dtype(dtype);
  uint64_t size = ElementSize(dtype);
  for (const uint64_t dimension : shape) {
    if (dimension > std::numeric_limits<uint32_t>::max() || (dimension > 0 && size > data.size() / dimension)) {
      return Invalid(absl::StrCat("it has ", data.size(), " bytes of data, fewer than its shape says"));
    }
    size *= dimension;
    tensor.add_shape(static_cast<uint32_t>(dimension));
  }
  if (size != data.size()) {
    return Invalid(absl::StrCat("it has ", data.size(), " bytes of data, its shape says ", size));
  }
  tensor.set_data(std::string(data));
  return tensor;
}

// What stands after "'KEY':" in a .npy header, which is a Python dict as NumPy writes it: "'<f4'", "False", "(3, 4)".
std::optional<absl::string_view> HeaderValue(absl::string_view header, absl::string_view key) {
  const size_t at = header.find(absl::StrCat("'", key, "':"));
  if (at == absl::string_view::npos) return std::nullopt;
  absl::string_view value = absl::StripLeadingAsciiWhitespace(header.substr(at + key.size() + 3));
  const size_t end = absl::StartsWith(value, "(") ? value.find(')') : value.find_first_of(",}");
  if (end == absl::string_view::npos) return std::nullopt;
  return absl::StripAsciiWhitespace(value.substr(0, absl::StartsWith(value, "(") ? end + 1 : end));
}

// "(3, 4)", "(3,)" or "()".
std::optional<std::vector<uint64_t>> ParseShape(absl::string_view text) {
  std::vector<uint64_t> shape;
  if (!absl::ConsumePrefix(&text, "(") || !absl::ConsumeSuffix(&text, ")")) return std::nullopt;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (part.empty()) continue;
    if (!absl::SimpleAtoi(part, &shape.emplace_back())) return std::nullopt;
  }
  return shape;
}

v1::Dtype WireDtype(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return v1::DTYPE_FLOAT32;
    case Dtype::kFloat16:
      return v1::DTYPE_FLOAT16;
    case Dtype::kBfloat16:
      return v1::DTYPE_BFLOAT16;
  }
  return v1::DTYPE_UNSPECIFIED;
}

// The tensor asked for among those of a safetensors file.
absl::StatusOr<SafetensorsTensor> FindTensor(const std::vector<SafetensorsTensor>& tensors, absl::string_view name) {
  if (tensors.empty()) return Invalid("it holds no tensor");
  if (name.empty() && tensors.size() == 1) return tensors[0];
  std::vector<std::string> names;
  for (const SafetensorsTensor& tensor : tensors) {
    if (tensor.name == name) return tensor;
    names.push_back(Printable(tensor.name));
  }
  std::sort(names.begin(), names.end());
  NamedThings named;
  for (std::string& one : names) named.Add(std::move(one));
  return Invalid(
      absl::StrCat(name.empty() ? "name one of them after a colon; it holds " : "it lacks that one; it holds ",
                   named.Text(names.size() == 1 ? "tensor" : "tensors")));
}

}  // namespace

absl::StatusOr<v1::Tensor> TensorFromNpy(absl::string_view bytes) {
  constexpr size_t kVersionAt = 6;
  constexpr size_t kLengthAt = 8;
  if (!absl::ConsumePrefix(&bytes, "\x93NUMPY") || bytes.size() < 6) return Invalid("it is not a .npy file");
  const size_t length_bytes = bytes[0] == 1 ? 2 : 4;  // format version 1.0; 2.0 and 3.0
  const uint64_t length = ReadLittleEndian(bytes.substr(kLengthAt - kVersionAt, length_bytes));
  const size_t header_at = kLengthAt - kVersionAt + length_bytes;
  if (length > bytes.size() - header_at) return Invalid("it ends within its header");
  const absl::string_view header = bytes.substr(header_at, length);
  const auto type = HeaderValue(header, "descr");
  const auto order = HeaderValue(header, "fortran_order");
  const auto shape = ParseShape(HeaderValue(header, "shape").value_or(""));
  if (!type || !order || !shape) return Invalid("its header is not one that NumPy writes");
  if (*type != "'<f4'" && *type != "'<f2'") {
    return Invalid(
        absl::StrCat("got type ", Printable(*type), ", expected '<f4' or '<f2': save it as array.astype('float32')"));
  }
  if (*order != "False" && shape->size() > 1) {
    return Invalid("it is in Fortran order: save it as numpy.ascontiguousarray(array)");
  }
  const v1::Dtype dtype = *type == "'<f4'" ? v1::DTYPE_FLOAT32 : v1::DTYPE_FLOAT16;
  return MakeTensor(dtype, *shape, bytes.substr(header_at + length));
}

absl::StatusOr<v1::Tensor> TensorFromSafetensors(absl::string_view bytes, absl::string_view name) {
  const auto tensors = ParseSafetensorsHeader(bytes, bytes.size());
  if (!tensors.ok()) return Invalid(absl::StrCat("it is not a safetensors file: ", tensors.status().message()));
  const auto tensor = FindTensor(*tensors, name);
  if (!tensor.ok()) return tensor.status();
  const auto dtype = DtypeFromSafetensors(tensor->dtype);
  if (!dtype) return Invalid(absl::StrCat("got type ", Printable(tensor->dtype), ", expected F32, F16 or BF16"));
  const std::vector<uint64_t> shape(tensor->shape.begin(), tensor->shape.end());
  return MakeTensor(WireDtype(*dtype), shape, bytes.substr(tensor->begin, tensor->end - tensor->begin));
}

absl::StatusOr<v1::Tensor> ReadTensorFile(const std::string& path) {
  std::string file = path;
  std::string name;
  const size_t colon = path.find(absl::StrCat(kSafetensors, ":"));
  if (colon != std::string::npos) {
    file = path.substr(0, colon + sizeof(kSafetensors) - 1);
    name = path.substr(file.size() + 1);
  }
  const bool safetensors = absl::EndsWith(file, kSafetensors);
  if (!safetensors && !absl::EndsWith(file, ".npy")) {
    return Invalid(absl::StrCat(path, ": expected FILE.npy or FILE.safetensors"));
  }
  const auto bytes = ReadWholeFile(file, kMaxTensorFileBytes);
  auto tensor = !bytes.ok()   ? absl::StatusOr<v1::Tensor>(bytes.status())
                : safetensors ? TensorFromSafetensors(*bytes, name)
                              : TensorFromNpy(*bytes);
  if (!tensor.ok()) return Invalid(absl::StrCat(path, ": ", tensor.status().message()));
  return tensor;
}

}  // namespace hydrophone::client
