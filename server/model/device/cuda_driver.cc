#include "server/model/device/cuda_driver.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

// As in cuda.h, where CUresult, CUdevice and CUdevice_attribute are ints.
using GetDevice = int(int* device, int ordinal);
using GetName = int(char* name, int length, int device);
using GetAttribute = int(int* value, int attribute, int device);
constexpr int kSuccess = 0;
constexpr int kMultiprocessorCount = 16, kComputeCapabilityMajor = 75, kComputeCapabilityMinor = 76;

}  // namespace

LoadedLibrary::~LoadedLibrary() {
  if (handle_ != nullptr) dlclose(handle_);
}

std::filesystem::path LoadedLibrary::Path() const {
  link_map* map = nullptr;
  if (handle_ == nullptr || dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0) return {};
  return map->l_name;
}

void* LoadedLibrary::Symbol(const char* name) const { return handle_ == nullptr ? nullptr : dlsym(handle_, name); }

std::string DescribeGpu(int index) {
  const LoadedLibrary driver(dlopen("libcuda.so.1", RTLD_NOW));
  auto* const get_device = driver.Find<GetDevice>("cuDeviceGet");
  auto* const get_name = driver.Find<GetName>("cuDeviceGetName");
  auto* const get_attribute = driver.Find<GetAttribute>("cuDeviceGetAttribute");
  int device = 0;
  std::array<char, 256> name{};
  if (get_device == nullptr || get_name == nullptr || get_attribute == nullptr ||
      get_device(&device, index) != kSuccess ||
      get_name(name.data(), static_cast<int>(name.size()) - 1, device) != kSuccess) {
    return "gpu=unknown";
  }
  std::replace(name.begin(), name.end(), ' ', '-');
  auto attribute = [&](int which) {
    int value = 0;
    return get_attribute(&value, which, device) == kSuccess ? value : 0;
  };
  return absl::StrCat("gpu=", name.data(), ";compute=", attribute(kComputeCapabilityMajor), ".",
                      attribute(kComputeCapabilityMinor), ";multiprocessors=", attribute(kMultiprocessorCount));
}

std::string CublasVersion() {
  using GetVersion = size_t();
  auto* const version = reinterpret_cast<GetVersion*>(dlsym(RTLD_DEFAULT, "cublasLtGetVersion"));
  return version == nullptr ? "unknown" : absl::StrCat(version());
}

}  // namespace hydrophone
