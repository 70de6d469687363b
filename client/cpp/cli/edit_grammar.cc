#include "client/cpp/cli/edit_grammar.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/cpp/cli/selection.h"
#include "client/cpp/files/tensor_reader.h"
#include "google/protobuf/repeated_field.h"

namespace hydrophone::client {
namespace {

constexpr char kOperations[] =
    "zero, mean, scale=NUMBER, add=VALUE, set=VALUE, project-out=@FILE or patch=source|clean (VALUE: a number or "
    "@FILE)";

absl::Status Unexpected(absl::string_view got, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("got \"", got, "\", expected ", expected));
}

absl::Status ParseNumber(absl::string_view text, float* number) {
  if (absl::SimpleAtof(text, number) && std::isfinite(*number)) return absl::OkStatus();
  return Unexpected(text, "a finite number");
}

// A number as a scalar, or the tensor of a file.
absl::Status ParseValue(absl::string_view text, v1::Tensor* value) {
  if (absl::ConsumePrefix(&text, "@")) {
    auto tensor = ReadTensorFile(std::string(text));
    if (!tensor.ok()) return tensor.status();
    *value = *std::move(tensor);
    return absl::OkStatus();
  }
  float number = 0;
  if (!ParseNumber(text, &number).ok()) return Unexpected(text, "a finite number or @FILE");
  value->add_floats(number);
  return absl::OkStatus();
}

absl::Status ParseDirection(absl::string_view text, v1::Tensor* direction) {
  if (!absl::StartsWith(text, "@")) return Unexpected(text, "@FILE with one vector");
  if (absl::Status status = ParseValue(text, direction); !status.ok()) return status;
  if (direction->shape_size() == 1) return absl::OkStatus();
  return Unexpected(absl::StrCat(direction->shape_size(), " dimensions in ", text), "one vector");
}

absl::Status ParsePositionsInto(absl::string_view text, v1::Positions* positions) {
  auto parsed = ParsePositions(text);
  if (!parsed.ok()) return parsed.status();
  *positions = *std::move(parsed);
  return absl::OkStatus();
}

// "HOOK[@LAYER]", the place that a patch reads.
absl::Status ParsePlace(absl::string_view text, v1::Source* source) {
  const auto hook = ParseHook(text, {});
  if (!hook.ok()) return hook.status();
  if (hook->layers_size() > 1) return Unexpected(text, "one layer to read from");
  source->set_hook_point(hook->hook_point());
  if (hook->layers_size() == 1) source->set_layer(hook->layers(0));
  return absl::OkStatus();
}

// Names of hook points begin with a letter; so do "first", "last" and "all".
bool IsPlace(absl::string_view text) {
  const absl::string_view word = text.substr(0, text.find(':'));
  return !word.empty() && absl::ascii_isalpha(static_cast<unsigned char>(word[0])) && word != "first" &&
         word != "last" && word != "all";
}

// "RUN[:HOOK[@LAYER]][:POSITIONS]".
absl::Status ParsePatch(absl::string_view text, Edit* edit) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (parts.first != "source" && parts.first != "clean") {
    return Unexpected(parts.first, "source (the text of --patch-from) or clean (the input's run without edits)");
  }
  edit->from = parts.first == "source" ? Edit::From::kSource : Edit::From::kClean;
  v1::Source* source = edit->intervention.mutable_patch();
  absl::string_view rest = parts.second;
  if (IsPlace(rest)) {
    const std::pair<absl::string_view, absl::string_view> place = absl::StrSplit(rest, absl::MaxSplits(':', 1));
    if (absl::Status status = ParsePlace(place.first, source); !status.ok()) return status;
    rest = place.second;
  }
  return rest.empty() ? absl::OkStatus() : ParsePositionsInto(rest, source->mutable_positions());
}

absl::Status ParseOperation(absl::string_view text, Edit* edit) {
  v1::Intervention& intervention = edit->intervention;
  if (text == "zero") {
    intervention.mutable_zero();
    return absl::OkStatus();
  }
  if (text == "mean") {
    intervention.mutable_position_mean();
    return absl::OkStatus();
  }
  absl::string_view value = text;
  if (absl::ConsumePrefix(&value, "scale=")) {
    float factor = 0;
    absl::Status status = ParseNumber(value, &factor);
    intervention.set_scale(factor);
    return status;
  }
  if (absl::ConsumePrefix(&value, "add=")) return ParseValue(value, intervention.mutable_add());
  if (absl::ConsumePrefix(&value, "set=")) return ParseValue(value, intervention.mutable_set());
  if (absl::ConsumePrefix(&value, "project-out=")) return ParseDirection(value, intervention.mutable_project_out());
  if (absl::ConsumePrefix(&value, "patch=")) return ParsePatch(value, edit);
  return Unexpected(text, kOperations);
}

absl::Status ParseUnits(absl::string_view what, absl::string_view text,
                        google::protobuf::RepeatedField<int32_t>* units) {
  const auto indices = ParseIndices(what, text);
  if (!indices.ok()) return indices.status();
  units->Assign(indices->begin(), indices->end());
  return absl::OkStatus();
}

// A word before the operation: what to edit. False when it is none of those.
absl::StatusOr<bool> ParseWhere(absl::string_view word, v1::Intervention* intervention) {
  absl::Status status;
  if (absl::ConsumePrefix(&word, "pos=")) {
    status = ParsePositionsInto(word, intervention->mutable_positions());
  } else if (absl::ConsumePrefix(&word, "heads=")) {
    status = ParseUnits("heads", word, intervention->mutable_units()->mutable_heads());
  } else if (absl::ConsumePrefix(&word, "features=")) {
    status = ParseUnits("features", word, intervention->mutable_units()->mutable_features());
  } else {
    return false;
  }
  if (!status.ok()) return status;
  return true;
}

// Takes the first word off.
absl::string_view NextWord(absl::string_view* text) {
  const absl::string_view word = text->substr(0, text->find_first_of(" \t"));
  *text = absl::StripAsciiWhitespace(text->substr(word.size()));
  return word;
}

absl::StatusOr<Edit> Parse(absl::string_view text) {
  Edit edit;
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  const auto hook = ParseHook(NextWord(&rest), {});
  if (!hook.ok()) return hook.status();
  edit.intervention.set_hook_point(hook->hook_point());
  *edit.intervention.mutable_layers() = hook->layers();
  edit.intervention.mutable_positions()->set_slice(":");
  for (;;) {
    absl::string_view after = rest;
    const auto taken = ParseWhere(NextWord(&after), &edit.intervention);
    if (!taken.ok()) return taken.status();
    if (!*taken) break;
    rest = after;
  }
  if (absl::Status status = ParseOperation(rest, &edit); !status.ok()) return status;
  return edit;
}

}  // namespace

absl::StatusOr<Edit> ParseEdit(absl::string_view text) {
  auto edit = Parse(text);
  if (edit.ok()) return edit;
  return absl::InvalidArgumentError(absl::StrCat("--edit \"", text, "\": ", edit.status().message()));
}

}  // namespace hydrophone::client
