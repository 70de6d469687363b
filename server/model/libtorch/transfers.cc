#include "server/model/libtorch/transfers.h"

#include <ATen/ops/empty.h>

namespace hydrophone {

at::Tensor EmptyPinned(at::IntArrayRef sizes, at::ScalarType dtype) {
  return at::empty(sizes, at::TensorOptions(at::kCPU).dtype(dtype).pinned_memory(true));
}

at::Tensor ToHost(const at::Tensor& value) {
  if (value.is_cpu()) return value;
  at::Tensor host = EmptyPinned(value.sizes(), value.scalar_type());
  return host.copy_(value);
}

at::Tensor CopyInHost(const at::Tensor& value) {
  return value.is_cpu() ? value.clone(at::MemoryFormat::Contiguous) : ToHost(value);
}

// CUDA copies from page-locked memory, because a copy from any other memory would wait for the stream.
at::Tensor ToDevice(const at::Tensor& value, at::Device device) {
  if (!device.is_cuda()) return value.to(device);
  const at::Tensor pinned = EmptyPinned(value.sizes(), value.scalar_type()).copy_(value);
  return pinned.to(device, /*non_blocking=*/true);
}

}  // namespace hydrophone
