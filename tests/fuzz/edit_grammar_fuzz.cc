// What the command line takes as an edit, a hook point, layers and positions. "vector.npy" is a file of three numbers;
// other files that an input names are looked for in an empty directory.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "client/cpp/cli/edit_grammar.h"
#include "client/cpp/cli/selection.h"
#include "tests/fakes/checkpoint_files.h"
#include "tests/fuzz/require.h"

namespace hydrophone {
namespace {

void WriteVector(const TempDirectory& directory) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
  const std::string magic("\x93NUMPY\x01\x00", 8);
  directory.Write("vector.npy", magic + static_cast<char>(header.size()) + '\0' + header + std::string(12, '\0'));
}

template <typename T>
bool Reads(const absl::StatusOr<T>& read) {
  // The words of a command line need not be UTF-8; the message quotes them.
  if (!read.ok()) Require(!read.status().message().empty() && !absl::IsInternal(read.status()), "a refusal says why");
  return read.ok();
}

void ReadEdit(absl::string_view text) {
  const absl::StatusOr<client::Edit> edit = client::ParseEdit(text);
  if (!Reads(edit)) return;
  const v1::Intervention& intervention = edit->intervention;
  Require(!intervention.hook_point().empty(), "an edit has a hook point");
  Require(intervention.has_positions(), "an edit has positions");
  Require(intervention.operation_case() != v1::Intervention::OPERATION_NOT_SET, "an edit has an operation");
  Require((edit->from != client::Edit::From::kNothing) == intervention.has_patch(), "a patch says from which run");
}

}  // namespace
}  // namespace hydrophone

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hydrophone;
  static const TempDirectory& directory = *[] {
    auto* made = new TempDirectory;
    WriteVector(*made);
    Require(::chdir(made->path().c_str()) == 0, "the directory can be entered");
    return made;
  }();
  (void)directory;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  // A list's ranges are written out: a long one is a long list, as the command's user asked.
  if (absl::StrContains(text, "@/")) return 0;
  ReadEdit(text);
  Reads(client::ParseLayers(text));
  Reads(client::ParseIndices("heads", text));
  Reads(client::ParsePositions(text));
  Reads(client::ParseHook(text, {1, 2}));
  return 0;
}
