#include "client/cpp/cli/run_names.h"

#include "absl/strings/str_cat.h"

namespace hydrophone::client {

RunNames::RunNames(const v1::ExtractRequest& request) : keys_(static_cast<size_t>(request.texts_size())) {
  for (const v1::Input& input : request.inputs()) keys_.push_back(input.key());
  for (const v1::Run& run : request.runs()) runs_.push_back({run.input(), run.key()});
}

std::string RunNames::Input(uint32_t input) const {
  return input < keys_.size() && !keys_[input].empty() ? keys_[input] : absl::StrCat(input);
}

std::string RunNames::InputOf(uint32_t run) const { return Input(run < runs_.size() ? runs_[run].input : run); }

std::string RunNames::Run(uint32_t run) const {
  if (!has_runs()) return "";
  return run < runs_.size() && !runs_[run].key.empty() ? runs_[run].key : absl::StrCat(run);
}

void RunNames::AddCells(const v1::TensorInfo& info, std::vector<std::string>* row) const {
  if (info.runs_size() == 1) return AddCells(info.runs(0), row);
  row->resize(row->size() + Columns().size());
}

void RunNames::AddCells(uint32_t run, std::vector<std::string>* row) const {
  row->push_back(InputOf(run));
  if (has_runs()) row->push_back(Run(run));
}

std::vector<std::string> RunNames::Columns() const {
  return has_runs() ? std::vector<std::string>{"input", "run"} : std::vector<std::string>{"input"};
}

}  // namespace hydrophone::client
