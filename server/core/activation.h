// The activation functions of a feed-forward layer.
#ifndef HYDROPHONE_SERVER_CORE_ACTIVATION_H_
#define HYDROPHONE_SERVER_CORE_ACTIVATION_H_

#include <cstdint>

namespace hydrophone {

// Named by Hugging Face's ACT2FN (transformers, activations.py); a checkpoint's config names one of them, the kernels
// and the float64 reference compute it.
enum class Activation : uint8_t {
  kGeluNew,       // "gelu_new", "gelu_pytorch_tanh", "gelu_fast", ...: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  kGelu,          // "gelu", "gelu_python": x Phi(x), by erf
  kQuickGelu,     // "quick_gelu": x sigmoid(1.702 x)
  kRelu,          // "relu"
  kSilu,          // "silu", "swish"
  kTanh,          // "tanh"
  kGelu10,        // "gelu_10": kGelu, from -10 to 10
  kHardswish,     // "hardswish": x relu6(x + 3) / 6
  kLaplace,       // "laplace": (1 + erf((x - 0.707107) / (0.282095 sqrt(2)))) / 2
  kLeakyRelu,     // "leaky_relu": 0.01 x below 0
  kLinear,        // "linear": x
  kMish,          // "mish": x tanh(softplus(x))
  kRelu2,         // "relu2": relu(x)^2
  kRelu6,         // "relu6": x, from 0 to 6
  kSigmoid,       // "sigmoid"
  kSqrtSoftplus,  // "sqrtsoftplus": sqrt(softplus(x)), softplus(x) = ln(1 + e^x)
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_ACTIVATION_H_
