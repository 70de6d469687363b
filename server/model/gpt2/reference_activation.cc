#include "server/model/gpt2/reference_activation.h"

#include <algorithm>
#include <cmath>

namespace hydrophone {
namespace {

constexpr double kSqrt2OverPi = 0.79788456080286535588;
constexpr double kSqrtHalf = 0.70710678118654752440;

}  // namespace

double ReferenceActivation(Activation activation, double x) {
  switch (activation) {
    case Activation::kGeluNew:
      return 0.5 * x * (1 + std::tanh(kSqrt2OverPi * (x + 0.044715 * x * x * x)));
    case Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x * kSqrtHalf));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kRelu:
      return x < 0 ? 0 : x;  // not max(x, 0): NaN stays NaN
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kGelu10:
      return std::clamp(0.5 * x * (1 + std::erf(x * kSqrtHalf)), -10.0, 10.0);
    case Activation::kHardswish:
      return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case Activation::kLaplace:
      return 0.5 * (1 + std::erf((x - 0.707107) / 0.282095 * kSqrtHalf));
    case Activation::kLeakyRelu:
      return x < 0 ? 0.01 * x : x;
    case Activation::kLinear:
      return x;
    case Activation::kMish:
      return x * std::tanh(std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0));
    case Activation::kRelu2:
      return x < 0 ? 0 : x * x;
    case Activation::kRelu6:
      return std::clamp(x, 0.0, 6.0);
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::kSqrtSoftplus:
      return std::sqrt(std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0));
  }
  return x;
}

}  // namespace hydrophone
