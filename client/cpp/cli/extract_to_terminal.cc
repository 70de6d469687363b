#include "client/cpp/cli/extract_to_terminal.h"

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/cli/continuations.h"
#include "client/cpp/cli/display/value_tables.h"
#include "client/cpp/cli/progress.h"
#include "client/cpp/cli/run_names.h"

namespace hydrophone::client {
namespace {

// Inputs that are listed; of more, their number is told.
constexpr size_t kListedInputs = 5;

class TerminalSink : public ExtractSink {
 public:
  TerminalSink(const MadeRequest& made, bool all, const Style& style, std::ostream* out)
      : out_(*out),
        words_(made.words),
        style_(style),
        names_(made.request),
        tables_(made.request, names_),
        listed_(all ? SIZE_MAX : kListedInputs),
        expected_(static_cast<size_t>(made.request.texts_size() + made.request.inputs_size())) {}

  // Of inputs beyond the first few, those are listed that were skipped or cut off.
  absl::Status OnInput(v1::InputInfo input) override {
    const bool odd = !input.skipped().empty() || input.truncated_tokens() > 0;
    if (inputs_.size() < listed_ || odd) PrintInput(input);
    tables_.AddInput(input);
    inputs_.push_back(std::move(input));
    if (inputs_.size() == listed_ && expected_ > listed_) {
      out_ << "... and " << expected_ - listed_ << " more inputs; --all lists them\n";
    }
    return absl::OkStatus();
  }

  absl::Status OnValues(v1::Values values) override {
    if (tables_.Add(values)) return absl::OkStatus();
    const std::string heading =
        absl::StrCat(values.info().name(), OfRun(values.info()), ", shape ", ShapeText(values.info()), ":");
    out_ << "\n" << style_.Paint(Ink::kHeading, heading) << "\n";
    out_ << (values.floats().empty() ? values.preview() : absl::StrJoin(values.floats(), " ")) << "\n";
    return absl::OkStatus();
  }

  absl::Status OnTensor(ReceivedTensor tensor) override {
    tables_.Add(tensor);
    return absl::OkStatus();
  }

  void Finish() const { tables_.Print(style_, out_); }
  const std::vector<v1::InputInfo>& inputs() const { return inputs_; }

 private:
  // " of input 0, run edited"; "" when there are several.
  std::string OfRun(const v1::TensorInfo& info) const {
    if (info.runs_size() != 1) return "";
    const std::string run = names_.Run(info.runs(0));
    return absl::StrCat(" of input ", names_.InputOf(info.runs(0)), run.empty() ? "" : ", run ", run);
  }

  void PrintInput(const v1::InputInfo& input) const {
    out_ << "input " << names_.Input(input.index()) << ": ";
    if (input.skipped().empty()) {
      out_ << input.token_ids_size() << " tokens";
      if (input.truncated_tokens() > 0) out_ << ", " << input.truncated_tokens() << " more cut off";
      out_ << "\n";
    } else {
      out_ << "skipped: " << words_.Describe(input.skipped()) << "\n";
    }
  }

  std::ostream& out_;
  const RequestWords& words_;
  const Style style_;
  const RunNames names_;
  ValueTables tables_;
  const size_t listed_;
  const size_t expected_;
  std::vector<v1::InputInfo> inputs_;
};

}  // namespace

int ExtractToTerminal(const Session& session, const MadeRequest& made, bool all) {
  const v1::ExtractRequest& request = made.request;
  const bool continues = request.max_new_tokens() > 0;
  std::ostringstream after;  // what stands below the continuations, which are known at the end
  TerminalSink sink(made, all, session.style, continues ? &after : &session.out);
  const auto client = session.Connect();
  const absl::Status status = ExtractWithProgress(*client, request, &sink, &session.err);
  if (!status.ok()) return session.Fail(made.words.Reword(status));
  sink.Finish();
  if (!continues) return kOk;
  const auto continuations = ReadContinuations(*client, request, sink.inputs());
  if (!continuations.ok()) return session.Fail(continuations.status());
  PrintContinuations(*continuations, RunNames(request), session.out);
  session.out << "\n" << after.str();
  return kOk;
}

}  // namespace hydrophone::client
