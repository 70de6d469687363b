#include "client/cpp/bulk/bulk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cpp/bulk/meter.h"
#include "client/cpp/bulk/patience.h"
#include "client/cpp/bulk/shard.h"
#include "client/cpp/files/json_file.h"
#include "client/cpp/files/spool.h"
#include "server/base/mutex.h"

namespace hydrophone::client {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr char kIndex[] = "index.json";

std::string ShardName(size_t shard) { return absl::StrFormat("shard-%05d.safetensors", shard); }

// While this lives, no other process writes into the directory. The lock ends with the process, however that ends.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory)
      : descriptor_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  ~DirectoryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  absl::Status Take(const std::string& directory) const {
    if (descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
    if (errno == EWOULDBLOCK) {
      return absl::InvalidArgumentError(absl::StrCat("--out: another process is writing into ", directory));
    }
    return absl::InvalidArgumentError(
        absl::StrCat("--out: cannot write in ", directory, ": ", std::generic_category().message(errno)));
  }

 private:
  const int descriptor_;
};

// Hands out the shards that are missing, and keeps the first error, after which none is handed out.
class Missing {
 public:
  explicit Missing(std::vector<size_t> shards) : shards_(std::move(shards)) {}

  std::optional<size_t> Next() {
    const MutexLock lock(&mutex_);
    if (!status_.ok() || next_ == shards_.size()) return std::nullopt;
    return shards_[next_++];
  }
  void Fail(const absl::Status& status) {
    const MutexLock lock(&mutex_);
    status_.Update(status);
  }
  absl::Status status() const {
    const MutexLock lock(&mutex_);
    return status_;
  }

 private:
  const std::vector<size_t> shards_;
  mutable Mutex mutex_;
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// What is left of a job, and how it is done.
class Work {
 public:
  Work(const Job& job, const std::string& directory, const AskTexts& ask, const BulkOptions& options)
      : job_(job), directory_(directory), ask_(ask), options_(options), order_(job.Order()) {}

  absl::Status MakeMissing() {
    std::vector<size_t> shards;
    uint64_t texts_there = 0;
    std::error_code error;
    for (size_t shard = 0; shard < job_.shards(); ++shard) {
      if (fs::exists(PathOf(shard), error)) {
        texts_there += TextsOf(shard).size();
      } else {
        shards.push_back(shard);
      }
    }
    if (shards.empty()) return absl::OkStatus();
    std::unique_ptr<Meter> meter;
    if (options_.progress != nullptr) {
      meter = std::make_unique<Meter>(job_.texts, texts_there, options_.progress, options_.now);
    }
    const size_t threads = std::min(options_.shards_at_once, shards.size());
    Missing missing(std::move(shards));
    std::vector<std::thread> workers;
    workers.reserve(threads);
    for (size_t i = 0; i < threads; ++i) workers.emplace_back([&] { MakeSome(&missing, meter.get()); });
    for (std::thread& worker : workers) worker.join();
    return missing.status().ok() ? absl::OkStatus() : WithState(missing.status());
  }

  // Writes the index, of what the shards say.
  absl::StatusOr<BulkDone> Finish() const {
    BulkDone done;
    done.shards = job_.shards();
    Json index = {{"arrays", Json::object()}, {"shards", Json::array()}, {"skipped", Json::object()}};
    for (size_t shard = 0; shard < job_.shards(); ++shard) {
      const auto header = ReadShardHeader(PathOf(shard));
      if (!header.ok()) return header.status();
      const Json& described = header->description;
      index["shards"].push_back(
          {{"file", ShardName(shard)}, {"rows", described["rows"]}, {"texts", described["texts"]}});
      for (const auto& [name, array] : header->arrays.items()) index["arrays"].emplace(name, array);
      index["skipped"].update(described["skipped"]);
      done.rows += described["rows"].get<uint64_t>();
      done.bytes += fs::file_size(PathOf(shard));
    }
    done.skipped = index["skipped"].get<std::map<std::string, std::string>>();
    if (absl::Status status = WriteJsonFile(absl::StrCat(directory_, "/", kIndex), index); !status.ok()) return status;
    return done;
  }

 private:
  std::string PathOf(size_t shard) const { return absl::StrCat(directory_, "/", ShardName(shard)); }

  std::vector<size_t> TextsOf(size_t shard) const {
    const size_t begin = shard * job_.texts_per_shard;
    const size_t end = std::min(begin + job_.texts_per_shard, job_.texts);
    return {order_.begin() + static_cast<std::ptrdiff_t>(begin), order_.begin() + static_cast<std::ptrdiff_t>(end)};
  }

  void MakeSome(Missing* missing, Meter* meter) const {
    while (const auto shard = missing->Next()) {
      absl::Status status =
          AskPatiently([&] { return Make(*shard, meter); }, options_.patience, options_.now, options_.sleep);
      if (!status.ok()) missing->Fail(status);
    }
  }

  absl::Status Make(size_t number, Meter* meter) const {
    auto spool = Spool::Create(directory_);
    if (!spool.ok()) return spool.status();
    const std::vector<size_t> texts = TextsOf(number);
    Shard shard(job_, directory_, texts, spool->get());
    if (absl::Status status = ask_(texts, &shard); !status.ok()) return status;
    if (absl::Status status = shard.Write(PathOf(number), number); !status.ok()) return status;
    if (meter != nullptr) meter->Add(texts.size(), shard.tokens(), shard.bytes());
    return absl::OkStatus();
  }

  // An error that the same job, started again, may not meet says what is there.
  absl::Status WithState(const absl::Status& status) const {
    if (absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status)) return status;
    size_t there = 0;
    std::error_code error;
    for (size_t shard = 0; shard < job_.shards(); ++shard) there += fs::exists(PathOf(shard), error) ? 1 : 0;
    absl::Status told(status.code(),
                      absl::StrCat(status.message(), "; ", there, " of ", job_.shards(), " shards are in ", directory_,
                                   ", and the same command, started again, goes on"));
    status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { told.SetPayload(url, payload); });
    return told;
  }

  const Job& job_;
  const std::string& directory_;
  const AskTexts& ask_;
  const BulkOptions& options_;
  const std::vector<size_t> order_;
};

}  // namespace

absl::StatusOr<BulkDone> MakeShards(const Job& job, const std::string& directory, const AskTexts& ask,
                                    const BulkOptions& options) {
  std::error_code error;
  fs::create_directories(directory, error);
  const DirectoryLock lock(directory);
  if (absl::Status status = lock.Take(directory); !status.ok()) return status;
  if (absl::Status status = job.Begin(directory); !status.ok()) return status;
  Work work(job, directory, ask, options);
  if (absl::Status status = work.MakeMissing(); !status.ok()) return status;
  return work.Finish();
}

}  // namespace hydrophone::client
