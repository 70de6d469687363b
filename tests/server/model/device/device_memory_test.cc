// The forward pass on a device whose memory the host cannot read: libtorch's "meta" device, whose tensors have shapes
// and no elements. libtorch throws when code takes their memory for the host's.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/library.h>

#include "server/model/kernels/torch/torch_kernels.h"
#include "tests/fakes/random_engine.h"
#include "tests/fakes/random_gpt2.h"

namespace hydrophone {
namespace {

// Shapes of operations for which libtorch knows them in Python only.
at::Tensor IndexSelectShape(const at::Tensor& self, int64_t dim, const at::Tensor& index) {
  EXPECT_TRUE(self.is_meta() && index.is_meta());
  std::vector<int64_t> sizes = self.sizes().vec();
  sizes[static_cast<size_t>(dim)] = index.numel();
  return at::empty(sizes, self.options());
}
at::Tensor& AbsShape(const at::Tensor& self, at::Tensor& out) {
  out.resize_(self.sizes());
  return out;
}
at::Tensor WhereShape(const at::Tensor&, const at::Tensor& self, const at::Tensor&) {
  return at::empty(self.sizes(), self.options());
}
TORCH_LIBRARY_IMPL(aten, Meta, library) {
  library.impl("index_select", IndexSelectShape);
  library.impl("abs.out", AbsShape);
  library.impl("where.self", WhereShape);
}

// TorchKernels but for two operations that libtorch has no shapes-only version of.
class MetaKernels final : public Kernels {
 public:
  explicit MetaKernels(ProductShapes shapes) : torch_(at::kMeta, shapes) {}

  at::Device device() const override { return at::kMeta; }
  std::unique_ptr<const Linear> Prepare(const at::Tensor& weight, const at::Tensor& bias) const override {
    return torch_.Prepare(weight, bias);
  }
  at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight) const override {
    return torch_.TimesTransposed(x, weight);
  }
  at::Tensor Add(const at::Tensor& a, const at::Tensor& b) const override { return torch_.Add(a, b); }
  at::Tensor LayerNorm(const at::Tensor& x, const at::Tensor&, const at::Tensor&, double) const override {
    return at::empty_like(x);
  }
  at::Tensor LayerNormScale(const at::Tensor& x, double) const override {
    return at::empty({x.size(0), 1}, x.options());
  }
  at::Tensor Activate(Activation activation, const at::Tensor& values) const override {
    return torch_.Activate(activation, values);
  }
  at::Tensor CausalAttention(const QueriesKeysValues& qkv, const std::vector<SequenceRows>& sequences, int64_t n_head,
                             double scale, AttentionVisitor& visitor) const override {
    return torch_.CausalAttention(qkv, sequences, n_head, scale, visitor);
  }

 private:
  const TorchKernels torch_;
};

// "Copies" a device's value as zeros.
class ZeroCopier final : public Copier {
 public:
  std::unique_ptr<CopyUnderWay> Start(const at::Tensor& value) override {
    EXPECT_TRUE(value.is_meta());
    return std::make_unique<Copy>(at::zeros(value.sizes()));
  }

 private:
  class Copy final : public CopyUnderWay {
   public:
    explicit Copy(at::Tensor host) : host_(std::move(host)) {}
    bool Done() override { return true; }
    void Wait() override {}
    const at::Tensor& host() const override { return host_; }

   private:
    const at::Tensor host_;
  };
};

// Where values go to the host's memory by another way than HostCopies: those that come run by run, and what the logits
// are computed for.
bool TakesAnotherWay(Site site) { return HookPointOf(site).by_run() || site == Site::kLogits; }

class DeviceMemoryTest : public testing::TestWithParam<ProductShapes> {};

TEST_P(DeviceMemoryTest, IsNeverReadByTheHost) {
  const Gpt2Config config = SmallConfig();
  const Gpt2Checkpoint checkpoint = RandomCheckpoint(config, 1);
  const ModelInfo model = InfoOf(config);
  const Gpt2 gpt2(config, checkpoint.weights, std::make_unique<MetaKernels>(GetParam()));
  std::vector<HookPoint> points;
  for (HookPoint point : AllPoints(config)) {
    if (!TakesAnotherWay(point.site)) points.push_back(point);
  }
  // The second leaves the batch early; the third takes rows that do not lie side by side.
  std::vector<Plan> plans = {PlanFor({RandomTokens(config, 70, 1), RandomTokens(config, 9, 2)}, points, config),
                             PlanFor({RandomTokens(config, 30, 3)}, {{Site::kMlpOut, 0}}, config),
                             PlanFor({RandomTokens(config, 8, 4)}, {{Site::kQ, 1}, {Site::kResidPost, 2}}, config)};
  for (Capture& capture : plans[2].captures) {
    capture.contiguous = false;
    capture.rows = {5, 2};
    capture.rows_per_run = {2};
    capture.row_count = 2;
  }
  std::vector<CollectingSink> sinks(plans.size());
  std::vector<BatchMember> batch;
  for (size_t i = 0; i < plans.size(); ++i) batch.push_back({&plans[i], &sinks[i]});

  BatchRows rows(batch, true);
  HostCopies copies(std::make_unique<ZeroCopier>());
  TapFunctions functions = gpt2.FunctionsForTaps();
  functions.copies = &copies;
  Taps taps(batch, rows, model, std::move(functions));
  gpt2.Forward(rows, BatchDropout(batch, rows, DropoutOf(config)), taps, [] {});
  taps.Finish();
  for (size_t i = 0; i < plans.size(); ++i) {
    ASSERT_EQ(sinks[i].captures().size(), plans[i].captures.size());
    for (const auto& [index, values] : sinks[i].captures()) {
      EXPECT_EQ(values.elements(), static_cast<size_t>(plans[i].captures[index].Elements())) << index;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, DeviceMemoryTest, testing::Values(ProductShapes::kFixed, ProductShapes::kAsTheyCome));

}  // namespace
}  // namespace hydrophone
