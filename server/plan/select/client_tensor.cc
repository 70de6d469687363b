#include "server/plan/select/client_tensor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "server/base/half.h"
#include "server/base/messages.h"

namespace hydrophone {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they are");

template <typename Bits>
std::vector<Bits> Elements(absl::string_view data) {
  std::vector<Bits> elements(data.size() / sizeof(Bits));
  if (!elements.empty()) std::memcpy(elements.data(), data.data(), data.size());
  return elements;
}

std::vector<float> Widened(absl::string_view data, float (*widen)(uint16_t)) {
  const std::vector<uint16_t> narrow = Elements<uint16_t>(data);
  std::vector<float> values(narrow.size());
  std::transform(narrow.begin(), narrow.end(), values.begin(), widen);
  return values;
}

std::optional<std::vector<float>> FromData(const v1::Tensor& tensor, absl::string_view path, Violations* violations) {
  const bool wide = tensor.dtype() == v1::DTYPE_FLOAT32 || tensor.dtype() == v1::DTYPE_UNSPECIFIED;
  const size_t element = wide ? sizeof(float) : sizeof(uint16_t);
  if (tensor.data().size() % element != 0) {
    violations->Add(absl::StrCat(path, ".data"),
                    absl::StrCat("got ", tensor.data().size(), " bytes, expected a multiple of ", element));
    return std::nullopt;
  }
  if (wide) return Elements<float>(tensor.data());
  return Widened(tensor.data(), tensor.dtype() == v1::DTYPE_FLOAT16 ? FromHalf : FromBfloat);
}

std::optional<std::vector<float>> ReadValues(const v1::Tensor& tensor, absl::string_view path, Violations* violations) {
  const bool floats = tensor.floats_size() > 0;
  const bool data = !tensor.data().empty();
  if (floats == data) {
    violations->Add(std::string(path), absl::StrCat("got ", floats ? "both" : "neither",
                                                    " of floats and data, expected the elements in one of them"));
    return std::nullopt;
  }
  if (data) return FromData(tensor, path, violations);
  if (tensor.dtype() != v1::DTYPE_UNSPECIFIED && tensor.dtype() != v1::DTYPE_FLOAT32) {
    violations->Add(absl::StrCat(path, ".dtype"),
                    absl::StrCat("got ", v1::Dtype_Name(tensor.dtype()), " beside floats, expected DTYPE_FLOAT32"));
    return std::nullopt;
  }
  return std::vector<float>(tensor.floats().begin(), tensor.floats().end());
}

bool CheckShape(const v1::Tensor& tensor, size_t elements, absl::string_view path, Violations* violations) {
  if (tensor.shape_size() > kMaxTensorDimensions) {
    violations->Add(absl::StrCat(path, ".shape"),
                    absl::StrCat("got ", tensor.shape_size(), " dimensions, expected at most ", kMaxTensorDimensions));
    return false;
  }
  uint64_t product = 1;
  bool fits = true;
  for (uint32_t dimension : tensor.shape()) fits = fits && !__builtin_mul_overflow(product, dimension, &product);
  if (fits && product == elements) return true;
  const std::vector<int64_t> shape(tensor.shape().begin(), tensor.shape().end());
  violations->Add(absl::StrCat(path, ".shape"), absl::StrCat("got ", ShapeText(shape), " for ", elements,
                                                             " elements, expected their product to be ", elements));
  return false;
}

bool CheckFinite(const v1::Tensor& tensor, absl::Span<const float> values, absl::string_view path,
                 Violations* violations) {
  const auto found = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (found == values.end()) return true;
  RefuseElement(tensor, path, found - values.begin(), *found, "a finite number", violations);
  return false;
}

}  // namespace

void RefuseElement(const v1::Tensor& tensor, absl::string_view path, int64_t index, float value,
                   absl::string_view expected, Violations* violations) {
  if (tensor.floats_size() > 0) {
    violations->Add(absl::StrCat(path, ".floats[", index, "]"), absl::StrCat("got ", value, ", expected ", expected));
  } else {
    violations->Add(absl::StrCat(path, ".data"),
                    absl::StrCat("got ", value, " in element ", index, ", expected ", expected));
  }
}

std::optional<ClientTensor> ReadAnyClientTensor(const v1::Tensor& tensor, absl::string_view path,
                                                Violations* violations) {
  std::optional<std::vector<float>> values = ReadValues(tensor, path, violations);
  if (!values.has_value() || !CheckShape(tensor, values->size(), path, violations)) return std::nullopt;
  return ClientTensor{{tensor.shape().begin(), tensor.shape().end()}, *std::move(values)};
}

std::optional<ClientTensor> ReadClientTensor(const v1::Tensor& tensor, absl::string_view path, Violations* violations) {
  std::optional<ClientTensor> read = ReadAnyClientTensor(tensor, path, violations);
  if (!read.has_value() || !CheckFinite(tensor, read->values, path, violations)) return std::nullopt;
  return read;
}

}  // namespace hydrophone
