// The places where the forward pass offers its values: the edits of requests are made there, and what their captures
// ask for is sent to them.
#ifndef HYDROPHONE_SERVER_MODEL_TAPS_TAPS_H_
#define HYDROPHONE_SERVER_MODEL_TAPS_TAPS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "server/core/engine.h"
#include "server/core/model_info.h"
#include "server/model/batch/batch_rows.h"
#include "server/model/taps/batch_edits.h"
#include "server/model/taps/host_copies.h"

namespace hydrophone {

// The model's functions that captures need beside its values. Each row's result depends on the row alone. Tensors are
// in the host's memory.
struct TapFunctions {
  std::function<at::Tensor(const at::Tensor& rows)> final_layer_norm;  // [n, d] to [n, d]
  std::function<at::Tensor(const at::Tensor& rows)> unembed;           // ln_f's output [n, d] to logits [n, V]
  // For projections: rows [n, width] times vectors [count, width] transposed, [n, count].
  std::function<at::Tensor(const at::Tensor& rows, const at::Tensor& vectors)> times_transposed;
  // Brings the rows that captures take to the host's memory; null when the values are there already.
  HostCopies* copies = nullptr;
};

// A batch's taps. The batch is one matrix [rows, ...]; BatchRows says which row belongs to which run. Used by one
// thread, during one forward pass, which gives its points in ForwardOrder; values are float32.
//
// Two words are kept apart: the forward pass *gives* a value to the taps, for all captures at its point; the taps
// *send* a capture's part of it to the capture's sink. On the CPU a part is sent while its value is given. On a device,
// the rows that captures ask for are copied to the host's memory beside the computation and sent once they have
// arrived; selecting, reducing, projecting and reading off logits is the same code on the same numbers.
class Taps {
 public:
  // `batch`, its plans and sinks, `rows`, `model` and what `functions` refer to outlive the taps.
  Taps(absl::Span<const BatchMember> batch, const BatchRows& rows, const ModelInfo& model, TapFunctions functions);

  // Whether a member that has not stopped captures this point, or a patch reads it. Values that are not wanted need not
  // be computed.
  bool Wants(HookPoint point) const;
  // Whether the point is wanted or edited. If not, its value need never be in memory.
  bool Touches(HookPoint point) const;

  // Makes the edits at the point in a copy of `value` [rows, width], whose rows are contiguous, and gives the result.
  // The forward pass goes on with what this returns, which is the value itself when there are no edits. The value's
  // memory must not be written to any more.
  //
  // clang-format off
  //   value's storage ◄── at::Tensor ◄── TensorView::owner ◄── sink ... until the last byte has left
  // clang-format on
  //
  // A capture that takes most of the value as it is shares its memory; the others get copies, so that a slow reader of
  // a few rows does not hold the memory of the whole batch. On a device, edits are made in the host's memory: the value
  // goes there and back, and the computation waits for it.
  [[nodiscard]] at::Tensor EditAndGive(HookPoint point, at::Tensor value);

  // Gives the value of a point that cannot be edited.
  void Give(HookPoint point, const at::Tensor& value);

  // Gives a point that is computed only for the rows that captures ask for: compute(rows) returns the value [n, width]
  // of the batch's rows [n], whose numbers are in the host's memory.
  void GiveComputed(HookPoint point, const std::function<at::Tensor(const at::Tensor& rows)>& compute);

  // Gives the logits, computed from ln_f's output [rows, d] for the rows that captures ask for, also to the lenses that
  // are compared with them.
  void GiveLogits(const at::Tensor& normed);

  // The values of a point that is by_run() come one sequence (a run, counted over the batch) at a time, in the order of
  // SequencesInOrder, in the host's memory: squares [H, s, s], or rows [s, width]. MarkByRun marks the sequences whose
  // value is captured, edited or read at the point.
  void MarkByRun(HookPoint point, std::vector<bool>& sequences) const;
  const std::vector<size_t>& SequencesInOrder() const { return edits_.SequencesInOrder(); }
  // Whether the sequence's member is still in the batch.
  bool IsGoingOn(size_t sequence) const { return rows_.CountOf(sequence) > 0; }
  // Makes the edits in `value` itself; returns whether there may have been some.
  bool EditByRun(HookPoint point, size_t sequence, at::Tensor& value);
  // Copies the parts that captures take of one sequence's value. SendByRun sends them, when every marked sequence's was
  // given.
  void GiveByRun(HookPoint point, size_t sequence, const at::Tensor& value);
  void SendByRun(HookPoint point);

  // Sends what is still under way from the device. To be called once the forward pass is done.
  void Finish();

  // Whether a member that has not stopped asks for this point or a later one. If not, nothing from here on need be
  // computed.
  bool Reaches(HookPoint point) const;
  // The same for each member.
  std::vector<bool> MembersReaching(HookPoint point) const;

 private:
  // One capture of a member's plan.
  struct Entry {
    int64_t order = 0;  // ForwardOrder of its point
    size_t member = 0;
    size_t capture = 0;
  };

  // One run's part of a capture that is filled run by run.
  struct RunPart {
    size_t run = 0;         // which of the capture's runs
    int64_t first_row = 0;  // where the part's rows begin
    int64_t element = 0;    // where its elements begin
  };
  // A capture that is being filled run by run.
  struct RunCapture {
    at::Tensor values;                             // of all runs of the capture
    std::map<size_t, std::vector<RunPart>> parts;  // by sequence
  };

  bool MemberReaches(size_t member, int64_t order) const;
  const Capture& CaptureOf(const Entry& entry) const { return batch_[entry.member].plan->captures[entry.capture]; }
  CaptureSink& SinkOf(const Entry& entry) const { return *batch_[entry.member].sink; }
  // The captures whose value is the point's.
  absl::Span<const Entry> EntriesOf(HookPoint point) const;
  std::vector<int64_t> RowsOf(const Entry& entry) const;
  std::vector<int64_t> BaselineRowsOf(const Entry& entry) const;
  std::vector<uint32_t> NextTokens(const Entry& entry) const;

  // Calls work(host, rows) when the rows of `value` are in the host's memory: at once on the CPU, with the value itself
  // and `rows`; later on a device, with a copy that holds these rows alone.
  template <typename Work>
  void WithRows(const Entry& entry, const at::Tensor& value, std::vector<int64_t> rows, Work work);

  // In the following, `value` is in the host's memory, and `rows` are the rows of it that the capture takes.
  bool IsWholeRows(const Capture& capture) const;
  void SendRows(const Entry& entry, const at::Tensor& value, const std::vector<int64_t>& rows);
  void SendWholeRows(const Entry& entry, const at::Tensor& value, const std::vector<int64_t>& rows);
  // Reads the logits of raw residual rows, or holds ln_f's output of them for a capture that compares them with the
  // final ones.
  void SendLens(const Entry& entry, const at::Tensor& value, const std::vector<int64_t>& rows);
  // `normed`: ln_f's output for the capture's rows, then for its baseline's.
  void SendLogits(const Entry& entry, const at::Tensor& normed);
  // `normed`, ln_f's output for the capture's rows, read off as the capture asks; `baseline_rows` likewise.
  void SendReadout(const Entry& entry, const at::Tensor& normed, const at::Tensor& baseline_rows);
  // Takes the capture's units of the rows, reduces and projects them: [rows, heads, numbers].
  at::Tensor Select(const Capture& capture, const at::Tensor& value, absl::Span<const int64_t> rows) const;
  at::Tensor Project(const Capture& capture, const at::Tensor& picked) const;
  RunCapture StartRuns(const Entry& entry) const;
  void CopyRun(const Entry& entry, const RunPart& part, const at::Tensor& value, at::Tensor& all) const;
  void Send(const Entry& entry, const at::Tensor& values);
  // Sends the values after everything that is still under way from the device.
  void SendInTurn(const Entry& entry, const at::Tensor& values);

  absl::Span<const BatchMember> batch_;
  const BatchRows& rows_;
  const ModelInfo& model_;
  const TapFunctions functions_;
  BatchEdits edits_;
  std::vector<int64_t> deepest_;                            // the order of each member's last capture; -1: none
  std::vector<Entry> entries_;                              // sorted by order, member, capture
  std::map<std::pair<size_t, size_t>, RunCapture> by_run_;  // under way, by member and capture
  std::vector<Entry> complete_at_logits_;                   // sorted by member, capture
  std::map<std::pair<size_t, size_t>, at::Tensor> held_;    // for those that are: ln_f's output of their rows
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_TAPS_H_
