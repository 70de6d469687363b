#include "server/checkpoint/mapped_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/messages.h"

namespace hydrophone {

absl::StatusOr<FileBytes> MapFile(const RandomAccessFile& file) {
  const size_t size = file.size();
  if (size == 0) return FileBytes{};  // mmap refuses a length of 0
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (address == MAP_FAILED) return absl::ErrnoToStatus(errno, Printable(file.path()));
  std::shared_ptr<const void> owner(address, [size](void* mapped) { ::munmap(mapped, size); });
  return FileBytes{{static_cast<const char*>(address), size}, std::move(owner), true};
}

void GiveBackPages(absl::string_view part) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t first = (begin + page - 1) / page * page, last = (begin + part.size()) / page * page;
  if (first >= last) return;
  char* const whole_pages = const_cast<char*>(part.data()) + (first - begin);
  ::madvise(whole_pages, last - first, MADV_DONTNEED);  // on failure the pages only stay
}

absl::StatusOr<FileBytes> CopyFile(const RandomAccessFile& file) {
  constexpr size_t kAlignment = 64;
  const size_t size = file.size();
  const size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  std::shared_ptr<char> owner(static_cast<char*>(std::aligned_alloc(kAlignment, rounded)), std::free);
  if (owner == nullptr && size > 0) {
    return absl::ResourceExhaustedError(absl::StrCat(Printable(file.path()), ": no memory for ", size, " bytes"));
  }
  if (absl::Status status = file.Read(0, {owner.get(), size}); !status.ok()) return status;
  return FileBytes{{owner.get(), size}, owner};
}

}  // namespace hydrophone
