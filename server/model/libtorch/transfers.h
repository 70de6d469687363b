// Tensors between the host's memory and a device's. On the CPU nothing moves.
#ifndef HYDROPHONE_SERVER_MODEL_LIBTORCH_TRANSFERS_H_
#define HYDROPHONE_SERVER_MODEL_LIBTORCH_TRANSFERS_H_

#include <ATen/core/Tensor.h>

namespace hydrophone {

// A new contiguous tensor in page-locked memory of the host, which the device reads and writes by itself. libtorch
// rounds its size up to a power of two and keeps freed memory for the next tensor, so the host needs up to twice the
// bytes that are held at once.
at::Tensor EmptyPinned(at::IntArrayRef sizes, at::ScalarType dtype);

// `value` in the host's memory: `value` itself when it is there already; else a contiguous copy, made after waiting for
// the computation of `value`.
at::Tensor ToHost(const at::Tensor& value);

// A contiguous copy in the host's memory; always a new one, so it may be written to.
at::Tensor CopyInHost(const at::Tensor& value);

// `value`, which is in the host's memory, on `device`: `value` itself for the CPU. On a GPU it does not wait for the
// copy, which later work on the current stream sees, and `value` may be freed or written to at once.
at::Tensor ToDevice(const at::Tensor& value, at::Device device);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_LIBTORCH_TRANSFERS_H_
