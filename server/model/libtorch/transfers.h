// Tensors between the host's memory and a device's. On the CPU nothing moves.
#ifndef HYDROPHONE_SERVER_MODEL_LIBTORCH_TRANSFERS_H_
#define HYDROPHONE_SERVER_MODEL_LIBTORCH_TRANSFERS_H_

#include <ATen/core/Tensor.h>

namespace hydrophone {

// A new contiguous tensor in page-locked memory of the host, which the device reads and writes by itself. libtorch
// keeps what is freed for the next one, in powers of two, so the host needs up to twice the bytes that are held at
// once.
at::Tensor EmptyPinned(at::IntArrayRef sizes, at::ScalarType dtype);

// `value` in the host's memory: itself when it is there; else a contiguous copy, after waiting for what computes it.
at::Tensor ToHost(const at::Tensor& value);

// A contiguous copy in the host's memory, always a new one, which may be written to.
at::Tensor CopyInHost(const at::Tensor& value);

// `value`, of the host's memory, on `device`: itself for the CPU. Does not wait: what is computed next on the current
// stream sees it. `value` may be freed or written to at once.
at::Tensor ToDevice(const at::Tensor& value, at::Device device);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_LIBTORCH_TRANSFERS_H_
