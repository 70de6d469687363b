#include "client/cpp/cli/extract_to_terminal.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/cli/table.h"
#include "client/cpp/extract_all.h"

namespace hydrophone::client {
namespace {

std::string ShapeText(const v1::TensorInfo& info) {
  return absl::StrCat("[", absl::StrJoin(info.shape(), ", "), "]");
}

class TerminalSink : public ExtractSink {
 public:
  TerminalSink(v1::View view, std::ostream* out)
      : out_(*out),
        table_(view == v1::VIEW_SUMMARY ? Table({"point", "input", "shape", "mean", "std", "min",
                                                 "max", "l2", "nonfinite"})
                                        : Table({"point", "input", "shape", "bytes"})),
        has_table_(view != v1::VIEW_PREVIEW) {}

  absl::Status OnInput(v1::InputInfo input) override {
    const std::string key = input.key().empty() ? "" : absl::StrCat(" ", input.key());
    out_ << "input " << input.index() << key << ": ";
    if (input.skipped().empty()) {
      runs_.push_back(input.index());
      out_ << input.token_ids_size() << " tokens";
      if (input.truncated_tokens() > 0) out_ << ", " << input.truncated_tokens() << " more cut off";
      out_ << "\n";
    } else {
      out_ << "skipped: " << input.skipped() << "\n";
    }
    return absl::OkStatus();
  }

  absl::Status OnValues(v1::Values values) override {
    const v1::TensorInfo& info = values.info();
    if (values.has_summary()) {
      const v1::Summary& summary = values.summary();
      table_.Add({info.name(), InputOf(info), ShapeText(info), Short(summary.mean()),
                  Short(summary.std()), Short(summary.min()), Short(summary.max()),
                  Short(summary.l2()), absl::StrCat(summary.nonfinite())});
    } else {
      const std::string input = InputOf(info);
      out_ << "\n"
           << info.name() << (input.empty() ? "" : absl::StrCat(" of input ", input)) << ", shape "
           << ShapeText(info) << ":\n";
      out_ << values.preview() << "\n";
    }
    return absl::OkStatus();
  }

  absl::Status OnTensor(ReceivedTensor tensor) override {
    table_.Add({tensor.info.name(), InputOf(tensor.info), ShapeText(tensor.info),
                absl::StrCat(tensor.bytes.size())});
    return absl::OkStatus();
  }

  void Finish() const {
    if (!has_table_) return;
    out_ << "\n";
    table_.Print(out_);
  }

 private:
  // The one input whose rows these are; "" when there are several.
  std::string InputOf(const v1::TensorInfo& info) const {
    if (info.runs_size() != 1 || info.runs(0) >= runs_.size()) return "";
    return absl::StrCat(runs_[info.runs(0)]);
  }

  std::ostream& out_;
  Table table_;
  const bool has_table_;
  std::vector<uint32_t> runs_;  // the input of each run
};

}  // namespace

int ExtractToTerminal(const Session& session, const v1::ExtractRequest& request) {
  TerminalSink sink(request.view(), &session.out);
  const absl::Status status = ExtractAll(*session.Connect(), request, &sink);
  if (!status.ok()) return session.Fail(status);
  sink.Finish();
  return kOk;
}

}  // namespace hydrophone::client
