// A corpus on disk: inputs that can be read again in any order.
#ifndef HYDROPHONE_CLIENT_CPP_BULK_CORPUS_H_
#define HYDROPHONE_CLIENT_CPP_BULK_CORPUS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/files/file_descriptor.h"
#include "hydrophone/v1/input.pb.h"
#include "server/base/mutex.h"

namespace hydrophone::client {

// An input of a corpus, and where it was given: "corpus.jsonl:3".
struct CorpusInput {
  v1::Input input;
  std::string words;
};

// A file of JSON lines (files/json_line.h); blank ones count for nothing. Memory holds where each line is, not the
// lines. Thread-safe.
class Corpus {
 public:
  // Reads the file through. INVALID_ARGUMENT for a file that is no regular one, cannot be read or holds no input, and,
  // naming the line, for one that is not right.
  static absl::StatusOr<std::unique_ptr<Corpus>> Open(const std::string& path);

  size_t size() const { return lines_.size(); }

  // SHA-256 of the file's bytes, in hexadecimal digits.
  const std::string& digest() const { return digest_; }

  // The input with this number, from 0. An error when the file was changed since it was opened.
  absl::StatusOr<CorpusInput> Read(size_t number) const;

 private:
  struct Line {
    uint64_t begin = 0;  // in bytes, from the file's beginning
    uint64_t bytes = 0;
    uint64_t number = 0;  // from 1
  };

  Corpus(std::string path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  // Notes every line that is not blank, and the digest.
  absl::Status Scan();
  absl::StatusOr<v1::Input> Parse(const std::string& text, const Line& line) const;

  const std::string path_;
  mutable Mutex mutex_;
  FileDescriptor file_ ABSL_GUARDED_BY(mutex_);
  std::vector<Line> lines_;
  std::string digest_;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_BULK_CORPUS_H_
