#include "client/cpp/cli/extract_to_file.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/cli/display/table.h"
#include "client/cpp/cli/output_file.h"
#include "client/cpp/cli/progress.h"
#include "client/cpp/cli/request_kinds.h"
#include "client/cpp/cli/session.h"
#include "client/cpp/files/array_gatherer.h"
#include "client/cpp/files/atomic_output.h"
#include "client/cpp/files/npy_writer.h"
#include "client/cpp/files/safetensors_writer.h"

namespace hydrophone::client {
namespace {

// A request with longer inputs than this, in bytes of JSON, is described without them: readers
// refuse long headers.
constexpr size_t kMostRequestJsonBytes = size_t{32} << 20;

Metadata Describe(const ArrayGatherer& gatherer, const v1::ExtractRequest& request) {
  Metadata metadata = gatherer.DescribeSources();
  std::string json = CompactJson(request);
  if (json.size() > kMostRequestJsonBytes) {
    v1::ExtractRequest without_inputs = request;
    without_inputs.clear_inputs();
    json = CompactJson(without_inputs);
    metadata.emplace_back("hydrophone.request_note",
                          absl::StrCat(request.inputs_size(), " inputs are left out of hydrophone.request"));
  }
  metadata.emplace_back("hydrophone.request", std::move(json));
  return metadata;
}

absl::Status Write(const std::string& out, const std::vector<StoredArray>& arrays, const Metadata& metadata,
                   Spool& spool) {
  return IsSafetensors(out) ? WriteSafetensors(out, arrays, metadata, spool)
                            : WriteNpyDirectory(out, arrays, metadata, spool);
}

void PrintWritten(const std::vector<StoredArray>& arrays, const ArrayGatherer& gatherer, const std::string& out,
                  const Session& session) {
  Table table({"array", "shape", "bytes"});
  for (const StoredArray& array : arrays) {
    table.Add({array.name, absl::StrCat("[", absl::StrJoin(array.shape, ", "), "]"), absl::StrCat(array.size())});
  }
  table.Print(session.style, session.out);
  session.out << "written to " << out << ": " << arrays.size() << " arrays of " << gatherer.inputs() << " inputs\n";
  if (gatherer.skipped() > 0) {
    session.err << "hydrophone: " << gatherer.skipped() << " inputs were skipped; the metadata says why\n";
  }
  if (gatherer.nonfinite() > 0) {
    session.err << "hydrophone: " << gatherer.nonfinite() << " values are infinite or not a number\n";
  }
}

}  // namespace

absl::Status CheckOutput(const std::string& out, bool force, const v1::ExtractRequest& request) {
  if (SendsValues(request)) {
    return absl::InvalidArgumentError(
        "--out takes tensors as bytes: previews, summaries, floats, comparisons, logit lenses and metrics go to the "
        "terminal "
        "or to --json");
  }
  if (IsSafetensors(out)) return CheckOutputFile(out, force);
  const std::string extension = std::filesystem::path(out).extension().string();
  for (const char* other : {".npy", ".npz", ".pt", ".pth", ".bin", ".h5", ".json"}) {
    if (extension == other) {
      return absl::InvalidArgumentError(
          absl::StrCat("--out: got ", out, ", expected FILE.safetensors or a directory for .npy files"));
    }
  }
  if (SendsBfloat16(request)) {
    return absl::InvalidArgumentError("NumPy has no bfloat16: use --out FILE.safetensors, or another --dtype");
  }
  return CheckDirectoryCanBeMade(out);
}

int ExtractToFile(const Session& session, const MadeRequest& made, const std::string& out) {
  const v1::ExtractRequest& request = made.request;
  auto spool = Spool::Create(DirectoryOf(out));
  if (!spool.ok()) return session.Fail(spool.status());
  ArrayGatherer gatherer(request, spool->get());
  absl::Status status = ExtractWithProgress(*session.Connect(), request, &gatherer, &session.err);
  if (!status.ok()) return session.Fail(made.words.Reword(status));
  const auto arrays = gatherer.Finish();
  if (!arrays.ok()) return session.Fail(arrays.status());
  status = Write(out, *arrays, Describe(gatherer, request), **spool);
  if (!status.ok()) return session.Fail(status);
  PrintWritten(*arrays, gatherer, out, session);
  return kOk;
}

}  // namespace hydrophone::client
