// The device that computes the forward pass: the CPU, or a GPU by libtorch's CUDA part, which is loaded at run time, so
// that no header of CUDA's is needed.
#ifndef HYDROPHONE_SERVER_MODEL_DEVICE_DEVICE_H_
#define HYDROPHONE_SERVER_MODEL_DEVICE_DEVICE_H_

#include <c10/core/Device.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydrophone {

// Reads "cpu", "cuda" (the first GPU) or "cuda:1". INVALID_ARGUMENT names the flag, what it got and what it expects.
absl::StatusOr<c10::Device> ParseDevice(absl::string_view text);

// Makes a GPU ready for use and returns its part of the numerics string, e.g.
// "gpu=NVIDIA-A100-SXM4-40GB;compute=8.0;multiprocessors=108;cuda=13.0;cublas=130002;tf32=off".
//
// Loads libtorch_cuda.so from where libtorch_cpu.so lies, turns TF32 off, and has cuBLAS take its memory in a way that
// keeps its bits from run to run. Must come before anything else that asks libtorch about GPUs: libtorch remembers that
// there was none. FAILED_PRECONDITION, in one message that says what to do, when the library or one that it needs is
// missing, or there is no such GPU. To be called once per process and device.
absl::StatusOr<std::string> OpenCudaDevice(c10::Device device);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_DEVICE_DEVICE_H_
