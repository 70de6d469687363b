// Where the forward pass shows its values: requests' edits are made there, and what requests asked for is handed over.
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

// What captures need of the model beside its values. Each row's result depends on the row alone. Tensors are in the
// host's memory.
struct TapFunctions {
  std::function<at::Tensor(const at::Tensor& rows)> final_layer_norm;  // [n, d] to [n, d]
  std::function<at::Tensor(const at::Tensor& rows)> unembed;           // [n, d], what ln_f gives, to logits [n, V]
  // rows [n, width] times vectors [count, width] transposed: [n, count]. Multiplies projections.
  std::function<at::Tensor(const at::Tensor& rows, const at::Tensor& vectors)> times_transposed;
  // Bring the rows that captures take to the host's memory; null when the values are there.
  HostCopies* copies = nullptr;
};

// A batch's taps. The batch is one matrix [rows, ...]; BatchRows says which row is whose. Used by one thread, during
// one forward pass. Points are shown in ForwardOrder; values are float32.
//
// On the CPU, captures are handed over as their values are shown. On a device, the rows asked for are taken there and
// copied beside the computation; selecting, reducing, projecting and reading off logits is the same code on the same
// numbers, once they have arrived.
class Taps {
 public:
  // `batch`, its plans and sinks, `rows`, `model` and what `functions` refer to outlive the taps.
  Taps(absl::Span<const BatchMember> batch, const BatchRows& rows, const ModelInfo& model, TapFunctions functions);

  // Whether a member that has not stopped asks for this point. Values that nobody wants need not be computed.
  bool Wants(HookPoint point) const;
  // Whether it, or an edit there, needs the point's value: else the value need never be in memory.
  bool Touches(HookPoint point) const;

  // Shows `value` [tokens, width] with contiguous rows: makes the edits at the point, in a copy, and gives the result
  // to every capture. Goes on with what this returns: the value itself when there are no edits. Its memory must not be
  // written to again.
  //
  // clang-format off
  //   value's storage ◄── at::Tensor ◄── TensorView::owner ◄── sink ... until the last byte has left
  // clang-format on
  //
  // Captures share the value's memory when they take most of it as it is; others are copied, so that a slow reader of a
  // few rows does not hold the whole batch's. On a device, edits are made in the host's memory: the value goes there
  // and back, and the computation waits for it.
  [[nodiscard]] at::Tensor Show(HookPoint point, at::Tensor value);

  // The same for a point without edits.
  void Give(HookPoint point, const at::Tensor& value);

  // For points that are computed for the rows asked for only: compute(rows) gives the value [n, width] of rows [n] of
  // the batch; `rows` are in the host's memory.
  void GiveComputed(HookPoint point, const std::function<at::Tensor(const at::Tensor& rows)>& compute);

  // The logits, from ln_f's output [tokens, d].
  void GiveLogits(HookPoint point, const at::Tensor& normed);

  // Attention scores and patterns come sequence by sequence (runs counted over the batch, in SequencesInOrder), as
  // squares [H, s, s]. Marks those whose square somebody asks for, edits or reads at the point.
  void MarkSquares(HookPoint point, std::vector<bool>& sequences) const;
  const std::vector<size_t>& SequencesInOrder() const { return edits_.SequencesInOrder(); }
  // Whether the sequence's member has not left the batch.
  bool IsGoingOn(size_t sequence) const { return rows_.CountOf(sequence) > 0; }
  // Edits `square` in place; whether there may have been edits.
  bool EditSquare(HookPoint point, size_t sequence, at::Tensor& square);
  // Copies what captures take of it. Then, when every touched sequence's was given, hands over.
  void GiveSquare(HookPoint point, size_t sequence, const at::Tensor& square);
  void FinishSquares(HookPoint point);

  // Hands over what is still under way from the device. To be called once the forward pass is done.
  void Finish();

  // Whether a member that has not stopped still asks for this point or a later one: else nothing from there on need be
  // computed.
  bool Reaches(HookPoint point) const;
  // For each member, whether it does.
  std::vector<bool> MembersReaching(HookPoint point) const;

 private:
  struct Entry {
    int64_t order = 0;  // ForwardOrder of the point
    size_t member = 0;
    size_t capture = 0;
  };

  // One run's part of a capture of squares: which of its runs, and where the part's rows and elements begin.
  struct SquarePart {
    size_t run = 0;
    int64_t first_row = 0;
    int64_t element = 0;
  };
  struct SquareCapture {
    at::Tensor values;                                // of all its runs
    std::map<size_t, std::vector<SquarePart>> parts;  // by sequence
  };

  bool MemberReaches(size_t member, int64_t order) const;
  const Capture& CaptureOf(const Entry& entry) const { return batch_[entry.member].plan->captures[entry.capture]; }
  CaptureSink& SinkOf(const Entry& entry) const { return *batch_[entry.member].sink; }
  absl::Span<const Entry> EntriesOf(HookPoint point) const;
  std::vector<int64_t> RowsOf(const Entry& entry) const;
  std::vector<int64_t> BaselineRowsOf(const Entry& entry) const;
  std::vector<uint32_t> NextTokens(const Entry& entry) const;

  // Calls work(host, its rows) with the rows of `value` in the host's memory: at once on the CPU, with the value
  // itself; else when they have been copied.
  template <typename Work>
  void WithRows(const Entry& entry, const at::Tensor& value, std::vector<int64_t> rows, Work work);

  // Those below are of values in the host's memory, whose `rows` are the capture's.
  bool IsWholeRows(const Capture& capture) const;
  void GiveRows(const Entry& entry, const at::Tensor& value, const std::vector<int64_t>& rows);
  void GiveWholeRows(const Entry& entry, const at::Tensor& value, const std::vector<int64_t>& rows);
  void GiveLens(const Entry& entry, const at::Tensor& value, const std::vector<int64_t>& rows);
  // `normed`: the capture's rows, then its baseline's.
  void GiveLogitsOf(const Entry& entry, const at::Tensor& normed);
  // Units, reduction and projection of `value`, whose `rows` the capture takes: [rows, heads, numbers].
  at::Tensor Select(const Capture& capture, const at::Tensor& value, absl::Span<const int64_t> rows) const;
  at::Tensor Project(const Capture& capture, const at::Tensor& picked) const;
  SquareCapture StartSquares(const Entry& entry) const;
  void CopySquare(const Entry& entry, const SquarePart& part, const at::Tensor& square, at::Tensor& all) const;
  void HandOver(const Entry& entry, const at::Tensor& values);
  // After what is still under way from the device.
  void HandOverInTurn(const Entry& entry, const at::Tensor& values);

  absl::Span<const BatchMember> batch_;
  const BatchRows& rows_;
  const ModelInfo& model_;
  const TapFunctions functions_;
  BatchEdits edits_;
  std::vector<int64_t> deepest_;                                // order of each member's last capture; -1: none
  std::vector<Entry> entries_;                                  // sorted by order, member, capture
  std::map<std::pair<size_t, size_t>, SquareCapture> squares_;  // under way, by member and capture
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_TAPS_H_
