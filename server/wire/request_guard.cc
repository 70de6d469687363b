// A message's encoding, as the walk reads it:
//
// clang-format off
//   message = { field }
//   field   = tag value          tag: varint, number << 3 | encoding
//   value   = varint             encoding 0
//           | 8 bytes            encoding 1
//           | length bytes       encoding 2: a message, a string, bytes, or a packed list of numbers
//           | 4 bytes            encoding 5
// clang-format on
#include "server/wire/request_guard.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "server/base/utf8.h"
#include "server/core/errors.h"

namespace hydrophone {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using WireType = WireFormatLite::WireType;

// The API's own messages nest six deep: a request, its runs, their interventions, a patch's source,
// its positions, theirs.
constexpr int kMaxDepth = 16;

// Where the walk is, from the root; lives on the stack, and becomes a string only when something is
// wrong.
struct Place {
  const Place* parent = nullptr;
  const FieldDescriptor* field = nullptr;  // null at the root
  uint32_t index = 0;                      // of a repeated field's element

  std::string Path() const {
    if (field == nullptr) return "";
    std::string path = parent->Path();
    absl::StrAppend(&path, path.empty() ? "" : ".", field->name());
    if (field->is_repeated()) absl::StrAppend(&path, "[", index, "]");
    return path;
  }
};

WireType EncodingOf(const FieldDescriptor& field) {
  return WireFormatLite::WireTypeForFieldType(static_cast<WireFormatLite::FieldType>(field.type()));
}

class Walk {
 public:
  explicit Walk(absl::string_view bytes)
      : input_(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size())) {}

  // Reads fields up to the input's limit. False: the bytes are no protobuf, and broken_at says
  // where.
  bool ReadMessage(const Descriptor& type, const Place& place, int depth) {
    if (depth > kMaxDepth) {
      Refuse(place, 0, "got messages nested more than ", kMaxDepth, " deep");
      return input_.Skip(input_.BytesUntilLimit());
    }
    // How many elements of each repeated field came so far.
    absl::flat_hash_map<int, uint32_t> counts;
    while (uint32_t tag = input_.ReadTag()) {
      int number = WireFormatLite::GetTagFieldNumber(tag);
      WireType encoding = WireFormatLite::GetTagWireType(tag);
      const FieldDescriptor* field = number == 0 ? nullptr : type.FindFieldByNumber(number);
      if (field == nullptr) {
        Refuse(place, number, "got field ", number, ", which this server does not know");
        if (!Skip(encoding, place)) return false;
        continue;
      }
      Place here{&place, field, 0};
      if (field->is_repeated()) here.index = counts[number];
      uint64_t before = elements_;
      if (!ReadField(encoding, here, depth)) return false;
      if (field->is_repeated()) counts[number] += static_cast<uint32_t>(elements_ - before);
    }
    return input_.ConsumedEntireMessage() || Broken(place);
  }

  uint64_t elements() const { return elements_; }
  Violations& violations() { return violations_; }
  const std::string& broken_at() const { return broken_at_; }

 private:
  // Adds a violation at this place, or, with a number, at its field of that number. Beyond those
  // that are kept, only counts.
  template <typename... Parts>
  void Refuse(const Place& place, int number, const Parts&... parts) {
    if (violations_.total() >= Violations::kKept) return violations_.Add("", "");
    std::string path = place.Path();
    if (number != 0) absl::StrAppend(&path, path.empty() ? "" : ".", number);
    violations_.Add(std::move(path), absl::StrCat(parts...));
  }

  bool Broken(const Place& place) {
    if (broken_at_.empty()) broken_at_ = place.Path();
    return false;
  }

  bool Skip(WireType encoding, const Place& place) {
    uint64_t number = 0;
    uint32_t length = 0;
    switch (encoding) {
      case WireFormatLite::WIRETYPE_VARINT:
        return input_.ReadVarint64(&number) || Broken(place);
      case WireFormatLite::WIRETYPE_FIXED64:
        return input_.Skip(8) || Broken(place);
      case WireFormatLite::WIRETYPE_FIXED32:
        return input_.Skip(4) || Broken(place);
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        return (ReadLength(&length) && input_.Skip(static_cast<int>(length))) || Broken(place);
      default:  // groups, which proto3 does not have
        return Broken(place);
    }
  }

  // A length that what is left of the enclosing message can hold.
  bool ReadLength(uint32_t* length) {
    return input_.ReadVarint32(length) && *length <= static_cast<uint32_t>(input_.BytesUntilLimit());
  }

  bool ReadField(WireType encoding, const Place& place, int depth) {
    WireType expected = EncodingOf(*place.field);
    bool packed = encoding == WireFormatLite::WIRETYPE_LENGTH_DELIMITED && place.field->is_packable();
    if (packed) return ReadPacked(expected, place);
    if (encoding != expected) {
      Refuse(place, 0, "got field ", place.field->number(), " in encoding ", encoding, ", expected encoding ",
             expected);
      return Skip(encoding, place);
    }
    if (expected == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) return ReadDelimited(place, depth);
    return ReadNumber(expected, place);
  }

  bool ReadNumber(WireType encoding, const Place& place) {
    if (place.field->is_repeated()) ++elements_;
    if (encoding != WireFormatLite::WIRETYPE_VARINT) return Skip(encoding, place);
    uint64_t value = 0;
    if (!input_.ReadVarint64(&value)) return Broken(place);
    CheckEnum(place, static_cast<int>(value));
    return true;
  }

  void CheckEnum(const Place& place, int value) {
    const google::protobuf::EnumDescriptor* type = place.field->enum_type();
    if (type == nullptr || type->FindValueByNumber(value) != nullptr) return;
    Refuse(place, 0, "got ", value, ", which this server does not know as a ", type->name());
  }

  bool ReadPacked(WireType encoding, const Place& place) {
    uint32_t length = 0;
    if (!ReadLength(&length)) return Broken(place);
    CodedInputStream::Limit outer = input_.PushLimit(static_cast<int>(length));
    Place element = place;
    while (input_.BytesUntilLimit() > 0) {
      if (!ReadNumber(encoding, element)) return false;
      ++element.index;
    }
    input_.PopLimit(outer);
    return true;
  }

  bool ReadDelimited(const Place& place, int depth) {
    bool is_message = place.field->type() == FieldDescriptor::TYPE_MESSAGE;
    if (is_message || place.field->is_repeated()) ++elements_;
    uint32_t length = 0;
    if (!ReadLength(&length)) return Broken(place);
    if (is_message) {
      CodedInputStream::Limit outer = input_.PushLimit(static_cast<int>(length));
      if (!ReadMessage(*place.field->message_type(), place, depth + 1)) return false;
      input_.PopLimit(outer);
      return true;
    }
    if (place.field->type() != FieldDescriptor::TYPE_STRING) return input_.Skip(static_cast<int>(length));
    return ReadString(length, place);
  }

  bool ReadString(uint32_t length, const Place& place) {
    const void* data = nullptr;
    int available = 0;
    input_.GetDirectBufferPointerInline(&data, &available);
    if (!IsUtf8({static_cast<const char*>(data), length})) Refuse(place, 0, "got bytes that are not UTF-8");
    return input_.Skip(static_cast<int>(length));
  }

  CodedInputStream input_;
  uint64_t elements_ = 0;  // messages, and elements of lists
  Violations violations_;
  std::string broken_at_;
};

}  // namespace

absl::Status CheckWireFormat(absl::string_view bytes, const Descriptor* type, const Limits& limits) {
  if (bytes.size() > limits.max_request_bytes) {
    return TooLarge("request", bytes.size(), limits.max_request_bytes, "bytes");
  }
  Walk walk(bytes);
  if (!walk.ReadMessage(*type, Place{}, 1)) {
    std::string where = walk.broken_at().empty() ? "request" : walk.broken_at();
    walk.violations().Add(where, absl::StrCat("got bytes that are no protobuf message of type ", type->full_name()));
  }
  if (!walk.violations().empty()) return walk.violations().ToStatus();
  if (walk.elements() > limits.max_request_elements) {
    return TooLarge("request", walk.elements(), limits.max_request_elements, "messages and list elements");
  }
  return absl::OkStatus();
}

absl::Status ParseRequest(absl::string_view bytes, const Limits& limits, google::protobuf::Message* message) {
  absl::Status status = CheckWireFormat(bytes, message->GetDescriptor(), limits);
  if (!status.ok()) return status;
  if (message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return absl::OkStatus();
  Violations violations;
  violations.Add("request", absl::StrCat("got bytes that are no protobuf message of type ", message->GetTypeName()));
  return violations.ToStatus();
}

}  // namespace hydrophone
