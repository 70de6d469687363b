// What each attention head reads of the residual stream, seen as a copy of its own, so that an edit can reach one head.
#ifndef HYDROPHONE_SERVER_MODEL_GPT2_HEAD_INPUTS_H_
#define HYDROPHONE_SERVER_MODEL_GPT2_HEAD_INPUTS_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "server/model/batch/batch_rows.h"
#include "server/model/taps/taps.h"

namespace hydrophone {

// One layer's hook_attn_in, and hook_q_input, hook_k_input and hook_v_input, which are copies of it. The copies exist
// for the runs that are captured or edited there alone. Only what an edit changed is computed apart: everything else
// keeps the bits that it has without these points.
class HeadInputs {
 public:
  // `taps` outlives this.
  HeadInputs(int layer, int64_t n_head, Taps& taps) : layer_(layer), n_head_(n_head), taps_(taps) {}

  // Gives the copies of x [rows, d] to the taps, and keeps those that edits changed.
  void Give(const at::Tensor& x, const std::vector<SequenceRows>& sequences);

  // Overwrites in qkv [rows, 3d] what heads compute from changed copies; read(rows [n, d]), on the device of qkv, gives
  // what all heads compute from these: [n, 3d].
  void Overwrite(const std::function<at::Tensor(const at::Tensor& rows)>& read, at::Tensor& qkv) const;

 private:
  // Rows of the batch in which one head's queries, keys or values (part 0, 1 or 2) read something else.
  struct Changed {
    int64_t part = 0, head = 0;
    std::vector<int64_t> rows;
    at::Tensor inputs;  // [rows, d], in the host's memory
  };

  void GiveRun(size_t sequence, const at::Tensor& x, int64_t first_row);
  void Keep(int64_t part, const at::Tensor& x, const at::Tensor& copies, int64_t first_row);

  const int layer_;
  const int64_t n_head_;
  Taps& taps_;
  std::vector<Changed> changed_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_GPT2_HEAD_INPUTS_H_
