#include "server/model/device/device.h"

#include <ATen/Context.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <torch/headeronly/version.h>

#include <cstdlib>
#include <filesystem>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/model/device/cuda_driver.h"
#include "server/model/libtorch/libtorch_errors.h"

namespace hydrophone {
namespace {

constexpr char kCpuLibrary[] = "libtorch_cpu.so";
constexpr char kCudaLibrary[] = "libtorch_cuda.so";

// Collects the warnings that libtorch would print about GPUs that it cannot use, so that they become part of the one
// error.
class CollectedWarnings final : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override { absl::StrAppend(&text_, " ", warning.msg()); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// The path of a library that is loaded already.
std::filesystem::path DirectoryOf(const char* loaded) {
  LoadedLibrary library(dlopen(loaded, RTLD_NOW | RTLD_NOLOAD));
  return library.Path().parent_path();
}

std::string WhatToInstall() {
  return absl::StrCat("--device=cuda needs libtorch's CUDA build with all its CUDA libraries, as `pip install torch==",
                      TORCH_VERSION, "` brings them");
}

// Loads a library for as long as the process runs.
absl::Status LoadCudaPart() {
  const std::filesystem::path library = DirectoryOf(kCpuLibrary) / kCudaLibrary;
  std::error_code error;
  if (!std::filesystem::exists(library, error)) {
    return absl::FailedPreconditionError(absl::StrCat("there is no ", library.string(), ": ", WhatToInstall()));
  }
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot load ", library.string(), " (", dlerror(), "): ", WhatToInstall()));
  }
  return absl::OkStatus();
}

absl::Status CheckIndex(c10::Device device) {
  CollectedWarnings warnings;
  int count = 0;
  {
    const c10::WarningUtils::WarningHandlerGuard collect(&warnings);
    // A DeviceIndex is a signed char.
    count = static_cast<uint8_t>(c10::impl::VirtualGuardImpl(device.type()).deviceCount());
  }
  if (count == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("--device: got ", device.str(), ", but no GPU can be used here: no NVIDIA ",
                     "driver, no device, or none that this process may see.", warnings.text()));
  }
  if (device.index() >= count) {
    return absl::FailedPreconditionError(absl::StrCat("--device: got ", device.str(), ", expected cuda:0",
                                                      count == 1 ? "" : absl::StrCat(" to cuda:", count - 1),
                                                      ": this process sees ", count, count == 1 ? " GPU" : " GPUs"));
  }
  return absl::OkStatus();
}

// The setting with which cuBLAS keeps its bits from run to run, whatever streams are in use. It reads this at its first
// use.
void ConfigureCublas() { setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0); }

// CUDA gives 13000 for version 13.0.
std::string VersionOf(int64_t cudart) { return absl::StrCat(cudart / 1000, ".", cudart % 1000 / 10); }

}  // namespace

absl::StatusOr<c10::Device> ParseDevice(absl::string_view text) {
  if (text == "cpu") return c10::Device(c10::kCPU);
  absl::string_view rest = text;
  if (rest == "cuda") return c10::Device(c10::kCUDA, 0);
  int index = -1;
  const bool digits =
      absl::ConsumePrefix(&rest, "cuda:") && rest.find_first_not_of("0123456789") == absl::string_view::npos;
  if (digits && absl::SimpleAtoi(rest, &index) && index <= std::numeric_limits<c10::DeviceIndex>::max()) {
    return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--device: got \"", text, "\", expected cpu, cuda, or cuda:i with a GPU's number from 0 on"));
}

absl::StatusOr<std::string> OpenCudaDevice(c10::Device device) {
  ConfigureCublas();
  if (absl::Status loaded = LoadCudaPart(); !loaded.ok()) return loaded;
  std::string description;
  absl::Status status;
  absl::Status opened = CatchingLibtorch([&] {
    status = CheckIndex(device);
    if (!status.ok()) return;
    at::globalContext().lazyInitDevice(device.type());
    at::globalContext().setAllowTF32CuBLAS(false);
    description =
        absl::StrCat(DescribeGpu(device.index()), ";cuda=", VersionOf(at::Context::versionCUDART()),
                     ";cublas=", CublasVersion(), ";tf32=", at::globalContext().allowTF32CuBLAS() ? "on" : "off");
  });
  if (!opened.ok()) {
    return absl::FailedPreconditionError(absl::StrCat("cannot use ", device.str(), ": ", opened.message()));
  }
  if (!status.ok()) return status;
  return description;
}

}  // namespace hydrophone
