#include "server/base/gzip.h"

#include <libdeflate.h>

#include <cstdint>
#include <memory>
#include <new>

#include "absl/status/status.h"

namespace hydrophone {
namespace {

constexpr absl::string_view kMagic = "\x1f\x8b";
constexpr size_t kSizeBytes = 4;  // little-endian, at the stream's end

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};

}  // namespace

bool IsGzip(absl::string_view bytes) { return bytes.substr(0, kMagic.size()) == kMagic; }

size_t SizeUnpacked(absl::string_view gzip) {
  if (gzip.size() < kSizeBytes) return 0;
  uint32_t size = 0;
  for (size_t i = 1; i <= kSizeBytes; ++i) size = size << 8 | static_cast<uint8_t>(gzip[gzip.size() - i]);
  return size;
}

absl::StatusOr<std::string> Unpack(absl::string_view gzip) {
  std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(libdeflate_alloc_decompressor());
  if (decompressor == nullptr) throw std::bad_alloc();
  std::string unpacked(SizeUnpacked(gzip), '\0');
  size_t read = 0;
  // Without room for the size written, libdeflate takes a stream only if it fills the memory exactly.
  libdeflate_result result = libdeflate_gzip_decompress_ex(decompressor.get(), gzip.data(), gzip.size(),
                                                           unpacked.data(), unpacked.size(), &read, nullptr);
  if (result != LIBDEFLATE_SUCCESS || read != gzip.size())
    return absl::InvalidArgumentError("not one whole gzip stream");
  return unpacked;
}

}  // namespace hydrophone
