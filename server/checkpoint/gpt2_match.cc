#include "server/checkpoint/gpt2_match.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/messages.h"
#include "server/checkpoint/convert.h"

namespace hydrophone {
namespace {

std::string GotAndExpected(const SafetensorsTensor& tensor, const Gpt2Parameter& parameter) {
  return absl::StrCat(Printable(tensor.name), " (got ", tensor.dtype, " ", ShapeText(tensor.shape),
                      ", expected F32, F16, BF16 or F64 ", ShapeText(parameter.shape), ")");
}

// The tensors of the files that are no parameters, in the order of their names.
NamedThings ExtraTensors(absl::Span<const Gpt2Parameter> parameters, const WeightFiles& files) {
  std::set<std::string> extra;
  for (const auto& [name, stored] : files.tensors) extra.insert(name);
  for (const Gpt2Parameter& parameter : parameters) extra.erase(parameter.name);
  NamedThings things;
  for (const std::string& name : extra) {
    const SafetensorsTensor& tensor = files.tensors.at(name).tensor;
    things.Add(absl::StrCat(Printable(tensor.name), " ", ShapeText(tensor.shape)));
  }
  return things;
}

}  // namespace

void LetLmHeadBeTheEmbedding(WeightFiles& files) {
  const auto lm_head = files.tensors.find("lm_head.weight");
  if (lm_head == files.tensors.end()) return;
  const StoredTensor stored = lm_head->second;
  files.tensors.emplace("wte.weight", stored);
}

bool Fits(const Gpt2Parameter& parameter, const SafetensorsTensor& tensor) {
  return tensor.shape == parameter.shape && StoredTypeOf(tensor.dtype).has_value();
}

absl::Status CheckTensors(absl::Span<const Gpt2Parameter> parameters, const WeightFiles& files) {
  NamedThings missing;
  NamedThings misshapen;
  for (const Gpt2Parameter& parameter : parameters) {
    const auto found = files.tensors.find(parameter.name);
    if (found == files.tensors.end()) {
      missing.Add(absl::StrCat(parameter.name, " ", ShapeText(parameter.shape)));
    } else if (!Fits(parameter, found->second.tensor)) {
      misshapen.Add(GotAndExpected(found->second.tensor, parameter));
    }
  }
  const NamedThings extra = ExtraTensors(parameters, files);

  std::string problems;
  if (!missing.empty()) absl::StrAppend(&problems, "; ", missing.Text("missing"));
  if (!extra.empty()) absl::StrAppend(&problems, "; ", extra.Text("extra"));
  if (!misshapen.empty()) absl::StrAppend(&problems, "; ", misshapen.Text("misshapen"));
  if (problems.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the weights are not the GPT-2 that config.json describes", problems));
}

}  // namespace hydrophone
