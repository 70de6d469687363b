// Asks CUDA's libraries about themselves and about a GPU. Their functions are looked up by name: their binary
// interfaces do not change, so no header of theirs is needed.
#ifndef HYDROPHONE_SERVER_MODEL_DEVICE_CUDA_DRIVER_H_
#define HYDROPHONE_SERVER_MODEL_DEVICE_CUDA_DRIVER_H_

#include <filesystem>
#include <string>

namespace hydrophone {

// Holds one reference to a shared library that dlopen returned; null when it could not be opened.
class LoadedLibrary {
 public:
  explicit LoadedLibrary(void* handle) : handle_(handle) {}
  ~LoadedLibrary();
  LoadedLibrary(const LoadedLibrary&) = delete;
  LoadedLibrary& operator=(const LoadedLibrary&) = delete;

  // The path of its file; empty when there is none.
  std::filesystem::path Path() const;

  // The function with this name; null when the library has none.
  template <typename Function>
  Function* Find(const char* name) const {
    return reinterpret_cast<Function*>(Symbol(name));
  }

 private:
  void* Symbol(const char* name) const;

  void* const handle_;
};

// "gpu=NVIDIA-A100-SXM4-40GB;compute=8.0;multiprocessors=108" for the GPU with this number; "gpu=unknown" when the
// driver does not tell.
std::string DescribeGpu(int index);

// The version of cuBLAS, "130002"; "unknown" when none is loaded.
std::string CublasVersion();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_DEVICE_CUDA_DRIVER_H_
