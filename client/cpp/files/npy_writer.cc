#include "client/cpp/files/npy_writer.h"

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/files/atomic_output.h"
#include "nlohmann/json.hpp"

namespace hydrophone::client {
namespace {

using Json = nlohmann::ordered_json;

const char* DtypeName(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "<f4";
    case ElementType::kFloat16:
      return "<f2";
    case ElementType::kInt64:
      return "<i8";
    case ElementType::kBFloat16:
      break;
  }
  return "";
}

// Everything before the data. `dtype`: NumPy's name.
std::string Preamble(const StoredArray& array) {
  constexpr size_t kAlignment = 64;
  constexpr size_t kFixedBytes = 10;  // magic, version, length
  std::string shape = absl::StrJoin(array.shape, ", ");
  if (array.shape.size() == 1) shape += ",";
  std::string header =
      absl::StrCat("{'descr': '", DtypeName(array.type), "', 'fortran_order': False, 'shape': (", shape, "), }");
  const size_t unpadded = kFixedBytes + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header.push_back('\n');
  std::string preamble("\x93NUMPY\x01\x00", 8);
  preamble.push_back(static_cast<char>(header.size() & 0xff));
  preamble.push_back(static_cast<char>(header.size() >> 8));
  return preamble + header;
}

absl::Status WriteArray(const StoredArray& array, FileDescriptor file, Spool& spool) {
  if (!file.is_open()) return file.Error("cannot make it");
  if (absl::Status status = file.Write(Preamble(array)); !status.ok()) return status;
  for (const Segment& segment : array.segments) {
    if (absl::Status status = spool.CopyTo(segment, file); !status.ok()) return status;
  }
  return file.Close();
}

std::string MetadataJson(const std::vector<StoredArray>& arrays, const Metadata& metadata) {
  Json json = Json::object();
  for (const auto& [name, text] : metadata) {
    const Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    json[name] = parsed.is_discarded() ? Json(text) : parsed;
  }
  json["arrays"] = Json::object();
  for (const StoredArray& array : arrays) json["arrays"][array.name] = NpyFileName(array.name);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::Status WriteMetadata(const std::string& json, FileDescriptor file) {
  if (!file.is_open()) return file.Error("cannot make it");
  if (absl::Status status = file.Write(json); !status.ok()) return status;
  return file.Close();
}

absl::Status CheckArrays(const std::vector<StoredArray>& arrays) {
  std::set<std::string> files;
  for (const StoredArray& array : arrays) {
    if (array.type == ElementType::kBFloat16) {
      return absl::InvalidArgumentError(
          absl::StrCat(array.name, " is bfloat16, which NumPy does not have: write safetensors"));
    }
    if (!files.insert(NpyFileName(array.name)).second) {
      return absl::InvalidArgumentError(absl::StrCat("two arrays would be written to ", NpyFileName(array.name)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string NpyFileName(const std::string& array_name) {
  std::string name = array_name;
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (!absl::ascii_isalnum(byte) && c != '.' && c != '_' && c != '-') c = '_';
  }
  if (!name.empty() && name.front() == '.') name.front() = '_';
  return name + ".npy";
}

absl::Status WriteNpyDirectory(const std::string& path, const std::vector<StoredArray>& arrays,
                               const Metadata& metadata, Spool& spool) {
  if (absl::Status status = CheckArrays(arrays); !status.ok()) return status;
  auto output = AtomicDirectory::Create(path);
  if (!output.ok()) return output.status();
  for (const StoredArray& array : arrays) {
    if (absl::Status status = WriteArray(array, (*output)->NewFile(NpyFileName(array.name)), spool); !status.ok()) {
      return status;
    }
  }
  if (absl::Status status = WriteMetadata(MetadataJson(arrays, metadata), (*output)->NewFile("metadata.json"));
      !status.ok()) {
    return status;
  }
  return (*output)->Commit();
}

}  // namespace hydrophone::client
