#include "server/model/engine/probe_kernels.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "server/model/libtorch/transfers.h"

namespace hydrophone {
namespace {

constexpr int64_t kPrefixes[] = {1, 2, 31, 63, 64, 65, 100, 128, 149};
constexpr int64_t kLongest = 150, kNeighbour = 70;

class Probe {
 public:
  Probe(const Kernels& kernels, const Gpt2Config& config, const ProbeSize& size)
      : kernels_(kernels), config_(config), size_(size) {}

  bool KeepsBits() const {
    const int64_t d = config_.n_embd, f = config_.n_inner, d_head = config_.d_head();
    return Products(d, 3 * d) && Products(d, d) && HeadProducts() && Products(d, f) && Products(f, d) &&
           Transposed(d) && Transposed(d_head) && Transposed(f) && Norms() && Attention();
  }

 private:
  // Normal random numbers on the kernels' device.
  at::Tensor Random(at::IntArrayRef sizes) const { return ToDevice(at::randn(sizes), kernels_.device()); }

  // Whether the rows of work(x) keep their bits when x has only some of its rows.
  template <typename Work>
  bool Rows(int64_t width, const Work& work) const {
    const at::Tensor x = Random({size_.most_rows, width});
    const at::Tensor all = work(x);
    for (int64_t rows : size_.rows) {
      for (int64_t first : {int64_t{0}, size_.most_rows - rows}) {
        if (!at::equal(work(x.narrow(0, first, rows).clone()), all.narrow(0, first, rows))) return false;
      }
    }
    return true;
  }

  // Products with and without the activation, which is computed on products only.
  bool Products(int64_t in, int64_t out) const {
    const int64_t columns = std::min(out, size_.columns);
    const auto linear = kernels_.Prepare(at::randn({in, columns}), Random({columns}));
    return Rows(in, [&](const at::Tensor& x) { return linear->ApplyActivated(x, config_.activation); }) &&
           Rows(in, [&](const at::Tensor& x) { return linear->Apply(x); });
  }

  // Products of one head with its rows of the output projection.
  bool HeadProducts() const {
    const int64_t d = config_.n_embd, d_head = config_.d_head(), columns = std::min(d, size_.columns);
    const auto linear = kernels_.Prepare(at::randn({d, columns}), Random({columns}));
    return Rows(d_head, [&](const at::Tensor& x) { return linear->TimesRows(x, d - d_head); });
  }

  bool Transposed(int64_t in) const {
    const at::Tensor weight = Random({100, in});
    return Rows(in, [&](const at::Tensor& x) { return kernels_.TimesTransposed(x, weight); });
  }

  bool Norms() const {
    const int64_t d = config_.n_embd;
    const at::Tensor weight = Random({d}), bias = Random({d});
    const double epsilon = config_.layer_norm_epsilon;
    return Rows(d, [&](const at::Tensor& x) { return kernels_.LayerNorm(x, weight, bias, epsilon); }) &&
           Rows(d, [&](const at::Tensor& x) { return kernels_.LayerNorm(x, {}, {}, epsilon); }) &&
           Rows(d, [&](const at::Tensor& x) { return kernels_.LayerNormScale(x, epsilon); });
  }

  // Visits the first sequence, or none, and changes nothing.
  class Visitor final : public AttentionVisitor {
   public:
    explicit Visitor(bool looks) : looks_(looks) {}
    std::vector<size_t> Visited() const override { return looks_ ? std::vector<size_t>{0} : std::vector<size_t>{}; }
    void OnScores(size_t, at::Tensor&) override {}
    void OnPattern(size_t, at::Tensor&) override {}

   private:
    const bool looks_;
  };

  // Attention of sequences of these lengths, whose rows follow each other in qkv [rows, 3d].
  at::Tensor Attend(const at::Tensor& qkv, const std::vector<int64_t>& lengths, bool looks) const {
    const int64_t d = config_.n_embd;
    std::vector<int64_t> rows(static_cast<size_t>(qkv.size(0)));
    std::iota(rows.begin(), rows.end(), int64_t{0});
    std::vector<SequenceRows> sequences;
    size_t first = 0;
    for (int64_t length : lengths) {
      sequences.push_back({absl::MakeConstSpan(rows).subspan(first, static_cast<size_t>(length)), 0});
      first += static_cast<size_t>(length);
    }
    Visitor visitor(looks);
    return kernels_.CausalAttention({qkv.narrow(1, 0, d), qkv.narrow(1, d, d), qkv.narrow(1, 2 * d, d)}, sequences,
                                    config_.n_head, 0.125, visitor);
  }

  bool Attention() const {
    const at::Tensor longest = Random({kLongest, int64_t{3} * config_.n_embd});
    const at::Tensor neighbour = Random({kNeighbour, int64_t{3} * config_.n_embd});
    const at::Tensor alone = Attend(longest, {kLongest}, false);
    for (bool looks : {false, true}) {
      for (int64_t length : kPrefixes) {
        const at::Tensor prefix = longest.narrow(0, 0, length);
        if (!at::equal(Attend(prefix, {length}, looks), alone.narrow(0, 0, length))) return false;
        const at::Tensor in_batch = Attend(at::cat({neighbour, prefix}), {kNeighbour, length}, looks);
        if (!at::equal(in_batch.narrow(0, kNeighbour, length), alone.narrow(0, 0, length))) return false;
      }
    }
    return true;
  }

  const Kernels& kernels_;
  const Gpt2Config& config_;
  const ProbeSize& size_;
};

}  // namespace

ProbeSize ProbeSizeForLibraries() {
  return {{1, 2, 3, 8, 17, 33, 64, 127, 129, 255, 256, 257, 511, 700}, 800, std::numeric_limits<int64_t>::max()};
}

ProbeSize ProbeSizeForCpu() { return {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 23, 50}, 60, 130}; }

bool KeepsBits(const Kernels& kernels, const Gpt2Config& config, const ProbeSize& size) {
  const c10::InferenceMode inference;
  return Probe(kernels, config, size).KeepsBits();
}

}  // namespace hydrophone
