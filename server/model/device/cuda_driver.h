// What CUDA's libraries say about themselves and about a GPU, asked through their C interfaces by name: their binary
// interfaces do not change, so no header of theirs is needed.
#ifndef HYDROPHONE_SERVER_MODEL_DEVICE_CUDA_DRIVER_H_
#define HYDROPHONE_SERVER_MODEL_DEVICE_CUDA_DRIVER_H_

#include <filesystem>
#include <string>

namespace hydrophone {

// A shared library as dlopen gives it; null: it could not be opened. Holds one reference to it.
class LoadedLibrary {
 public:
  explicit LoadedLibrary(void* handle) : handle_(handle) {}
  ~LoadedLibrary();
  LoadedLibrary(const LoadedLibrary&) = delete;
  LoadedLibrary& operator=(const LoadedLibrary&) = delete;

  // Where its file lies; empty when there is none.
  std::filesystem::path Path() const;

  // A function of this name; null when there is none.
  template <typename Function>
  Function* Find(const char* name) const {
    return reinterpret_cast<Function*>(Symbol(name));
  }

 private:
  void* Symbol(const char* name) const;

  void* const handle_;
};

// "gpu=NVIDIA-A100-SXM4-40GB;compute=8.0;multiprocessors=108" of the GPU with this number; "gpu=unknown" when the
// driver does not say.
std::string DescribeGpu(int index);

// "130002"; "unknown" when no cuBLAS is loaded.
std::string CublasVersion();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_DEVICE_CUDA_DRIVER_H_
