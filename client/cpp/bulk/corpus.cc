#include "client/cpp/bulk/corpus.h"

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/cpp/files/json_line.h"
#include "server/base/sha256.h"

namespace hydrophone::client {
namespace {

constexpr absl::string_view kUtf8Mark = "\xEF\xBB\xBF";

}  // namespace

absl::StatusOr<std::unique_ptr<Corpus>> Corpus::Open(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK), path);
  if (!file.is_open()) return absl::InvalidArgumentError(file.Error("cannot read it").message());
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": expected a file on disk, which is read more than once"));
  }
  std::unique_ptr<Corpus> corpus(new Corpus(path, std::move(file)));
  if (absl::Status status = corpus->Scan(); !status.ok()) return status;
  if (corpus->size() == 0) return absl::InvalidArgumentError(absl::StrCat(path, " holds no input"));
  return corpus;
}

absl::Status Corpus::Scan() {
  std::ifstream stream(path_, std::ios::binary);
  Sha256 sha;
  std::string text;
  uint64_t begin = 0;
  for (uint64_t number = 1; std::getline(stream, text); ++number) {
    sha.Update(text);
    Line line{begin, text.size(), number};
    begin += text.size();
    if (!stream.eof()) {
      sha.Update("\n");
      ++begin;
    }
    if (number == 1 && absl::StartsWith(text, kUtf8Mark)) {
      text.erase(0, kUtf8Mark.size());
      line = {kUtf8Mark.size(), text.size(), number};
    }
    if (absl::StripAsciiWhitespace(text).empty()) continue;
    if (const auto input = Parse(text, line); !input.ok()) return input.status();
    lines_.push_back(line);
  }
  if (stream.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path_));
  digest_ = sha.HexDigest();
  return absl::OkStatus();
}

absl::StatusOr<v1::Input> Corpus::Parse(const std::string& text, const Line& line) const {
  auto input = InputFromJsonLine(text);
  if (input.ok()) return input;
  return absl::InvalidArgumentError(absl::StrCat(path_, ":", line.number, ": ", input.status().message()));
}

absl::StatusOr<CorpusInput> Corpus::Read(size_t number) const {
  const Line& line = lines_[number];
  std::string text(line.bytes, '\0');
  {
    const MutexLock lock(&mutex_);
    if (absl::Status status = file_.ReadAt(line.begin, text.size(), text.data()); !status.ok()) return status;
  }
  auto input = Parse(text, line);
  if (!input.ok()) return input.status();
  return CorpusInput{*std::move(input), absl::StrCat(path_, ":", line.number)};
}

}  // namespace hydrophone::client
