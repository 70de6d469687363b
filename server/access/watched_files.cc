#include "server/access/watched_files.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

constexpr absl::Duration kBetweenLooks = absl::Seconds(1);

}  // namespace

WatchedFiles::WatchedFiles(std::vector<std::string> paths, const Clock* clock)
    : paths_(std::move(paths)), clock_(clock), seen_(Look()), next_look_(clock->Now() + kBetweenLooks) {}

bool WatchedFiles::Changed() {
  const absl::Time now = clock_->Now();
  if (now < next_look_) return false;
  next_look_ = now + kBetweenLooks;
  std::vector<std::string> look = Look();
  if (look == seen_) return false;
  seen_ = std::move(look);
  return true;
}

std::vector<std::string> WatchedFiles::Look() const {
  std::vector<std::string> looks;
  for (const std::string& path : paths_) {
    struct stat found = {};
    if (path.empty() || stat(path.c_str(), &found) != 0) {
      looks.emplace_back();
      continue;
    }
    looks.push_back(absl::StrCat(found.st_dev, " ", found.st_ino, " ", found.st_size, " ", found.st_mtim.tv_sec, " ",
                                 found.st_mtim.tv_nsec));
  }
  return looks;
}

}  // namespace hydrophone
