#include "client/cpp/cli/extract_to_terminal.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/cli/continuations.h"
#include "client/cpp/cli/run_names.h"
#include "client/cpp/cli/value_tables.h"
#include "client/cpp/extract_all.h"

namespace hydrophone::client {
namespace {

class TerminalSink : public ExtractSink {
 public:
  TerminalSink(const v1::ExtractRequest& request, std::ostream* out)
      : out_(*out), names_(request), tables_(request, names_) {}

  absl::Status OnInput(v1::InputInfo input) override {
    out_ << "input " << names_.Input(input.index()) << ": ";
    if (input.skipped().empty()) {
      out_ << input.token_ids_size() << " tokens";
      if (input.truncated_tokens() > 0) out_ << ", " << input.truncated_tokens() << " more cut off";
      out_ << "\n";
    } else {
      out_ << "skipped: " << input.skipped() << "\n";
    }
    inputs_.push_back(std::move(input));
    return absl::OkStatus();
  }

  absl::Status OnValues(v1::Values values) override {
    if (tables_.Add(values)) return absl::OkStatus();
    out_ << "\n" << values.info().name() << OfRun(values.info()) << ", shape " << ShapeText(values.info()) << ":\n";
    out_ << (values.floats().empty() ? values.preview() : absl::StrJoin(values.floats(), " ")) << "\n";
    return absl::OkStatus();
  }

  absl::Status OnTensor(ReceivedTensor tensor) override {
    tables_.Add(tensor);
    return absl::OkStatus();
  }

  void Finish() const { tables_.Print(out_); }
  const std::vector<v1::InputInfo>& inputs() const { return inputs_; }

 private:
  // " of input 0, run edited"; "" when there are several.
  std::string OfRun(const v1::TensorInfo& info) const {
    if (info.runs_size() != 1) return "";
    const std::string run = names_.Run(info.runs(0));
    return absl::StrCat(" of input ", names_.InputOf(info.runs(0)), run.empty() ? "" : ", run ", run);
  }

  std::ostream& out_;
  const RunNames names_;
  ValueTables tables_;
  std::vector<v1::InputInfo> inputs_;
};

}  // namespace

int ExtractToTerminal(const Session& session, const v1::ExtractRequest& request) {
  TerminalSink sink(request, &session.out);
  const auto client = session.Connect();
  const absl::Status status = ExtractAll(*client, request, &sink);
  if (!status.ok()) return session.Fail(status);
  sink.Finish();
  if (request.max_new_tokens() == 0) return kOk;
  const auto continuations = ReadContinuations(*client, request, sink.inputs());
  if (!continuations.ok()) return session.Fail(continuations.status());
  PrintContinuations(*continuations, RunNames(request), session.out);
  return kOk;
}

}  // namespace hydrophone::client
