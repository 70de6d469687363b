#include "server/checkpoint/model_directory.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/base/messages.h"
#include "server/base/utf8.h"

namespace hydrophone {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kCachePrefix = "models--";

std::string LastComponent(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error).lexically_normal();
  return absolute.has_filename() ? absolute.filename().string() : absolute.parent_path().filename().string();
}

// The name as clients, logs and metrics can take it.
std::string Utf8Name(const std::string& name) { return IsUtf8(name) ? name : Printable(name); }

// "gpt2" or "openai/gpt2": at most one slash, and no character that a model's name cannot have.
bool MayBeHubName(const std::string& given) {
  if (given.empty() || given[0] == '/' || given[0] == '.' || std::count(given.begin(), given.end(), '/') > 1)
    return false;
  return std::all_of(given.begin(), given.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

absl::Status NoDirectory(const std::string& given) {
  const std::string message = absl::StrCat("there is no directory ", Printable(given));
  if (!MayBeHubName(given)) return absl::NotFoundError(message);
  return absl::NotFoundError(
      absl::StrCat(message, "; if it is a model's name on the Hugging Face hub, download it first: hf download ", given,
                   " --local-dir DIR"));
}

// The snapshot of a cache directory that refs/main names, or its only one.
absl::StatusOr<fs::path> Snapshot(const fs::path& cache) {
  std::string revision;
  std::ifstream(cache / "refs" / "main") >> revision;
  std::error_code error;
  std::vector<fs::path> snapshots;
  for (fs::directory_iterator entry(cache / "snapshots", error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename() == revision) return entry->path();
    snapshots.push_back(entry->path());
  }
  if (revision.empty() && snapshots.size() == 1) return snapshots[0];
  return absl::NotFoundError(absl::StrCat(Printable(cache.string()), ": a hub cache with ", snapshots.size(),
                                          " snapshots", revision.empty() ? "" : ", none of them that of refs/main",
                                          "; give the one that is meant"));
}

}  // namespace

std::string DirectoryName(const std::string& directory) { return Utf8Name(LastComponent(directory)); }

absl::StatusOr<ModelDirectory> FindModelDirectory(const std::string& given) {
  std::error_code error;
  const fs::path path(given);
  if (!fs::exists(path, error)) return NoDirectory(given);
  if (!fs::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(Printable(given), ": is a file, expected a directory"));
  }
  const std::string last = LastComponent(path);
  const bool cache = absl::StartsWith(last, kCachePrefix) && fs::is_directory(path / "snapshots", error);
  if (!cache) return ModelDirectory{given, Utf8Name(last)};
  const absl::StatusOr<fs::path> snapshot = Snapshot(path);
  if (!snapshot.ok()) return snapshot.status();
  return ModelDirectory{snapshot->string(), Utf8Name(last.substr(last.rfind("--") + 2))};
}

}  // namespace hydrophone
