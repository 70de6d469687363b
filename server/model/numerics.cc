#include "server/model/numerics.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <sched.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/model/attention_block.h"

namespace hydrophone {
namespace {

constexpr char kReproducibility[] = "MKL_CBWR";

// Row counts at which BLAS libraries were seen to change kernels, and neighbours of powers of two.
constexpr int64_t kProbeRows[] = {1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 33, 64, 100, 129, 200, 257};
constexpr int64_t kMostProbeRows = 300;

// Whether rows keep their bits when fewer, or others, are multiplied with them, on one thread and on `threads`.
// `multiply` gives a product with x [rows, inner].
template <typename Multiply>
bool KeepsBits(int64_t inner, int threads, const Multiply& multiply) {
  const at::Tensor x = at::randn({kMostProbeRows, inner});
  at::set_num_threads(threads);
  const at::Tensor all = multiply(x);
  for (int used : {1, threads}) {
    at::set_num_threads(used);
    for (int64_t rows : kProbeRows) {
      const int64_t first = kMostProbeRows - rows;
      if (!at::equal(multiply(x.narrow(0, 0, rows)), all.narrow(0, 0, rows))) return false;
      if (!at::equal(multiply(x.narrow(0, first, rows)), all.narrow(0, first, rows))) return false;
    }
  }
  return true;
}

bool Conv1DKeepsBits(ProductShape shape, RowBlocking blocking, int threads) {
  const at::Tensor weight = at::randn({shape.first, shape.second});
  const at::Tensor bias = at::randn({shape.second});
  return KeepsBits(shape.first, threads, [&](const at::Tensor& x) { return Conv1D(x, weight, bias, blocking); });
}

// All products with transposed weights have one shape but for the inner size.
bool TransposedKeepsBits(int64_t inner, RowBlocking blocking, int threads) {
  const at::Tensor weight = at::randn({2 * kTransposedColumns, inner});
  return KeepsBits(inner, threads, [&](const at::Tensor& x) { return TimesTransposed(x, weight, blocking); });
}

// CPUs' worth of time that the control group grants; nothing when it sets no limit.
std::optional<double> CpuQuota() {
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2) {
    std::string quota;
    double period = 0;
    if (v2 >> quota >> period && quota != "max" && period > 0) return std::atof(quota.c_str()) / period;
    return std::nullopt;
  }
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

// Who made the CPU: MKL may choose other kernels in the same mode.
const char* CpuMaker() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_is("intel")) return "intel";
  if (__builtin_cpu_is("amd")) return "amd";
#endif
  return "other";
}

}  // namespace

void ConfigureNumerics() {
#if defined(__x86_64__)
  // On other makers' CPUs MKL knows the AVX2 mode, and falls back to one that is ten times slower when asked for AVX-512's.
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_is("intel");
  if (__builtin_cpu_supports("avx2")) setenv(kReproducibility, avx512 ? "AVX512,STRICT" : "AVX2,STRICT", 0);
#endif
}

int ThreadsFromCpuQuota() {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  int threads = sched_getaffinity(0, sizeof(usable), &usable) == 0 ? CPU_COUNT(&usable) : 1;
  if (const std::optional<double> quota = CpuQuota()) threads = std::min(threads, static_cast<int>(std::ceil(*quota)));
  return std::max(threads, 1);
}

ProbeResult ProbeProducts(const std::vector<ProductShape>& shapes, const std::vector<int64_t>& transposed, int threads) {
  c10::InferenceMode inference;
  ProbeResult result;
  for (RowBlocking blocking : {RowBlocking::kFree, RowBlocking::kFixed}) {
    result.blocking = blocking;
    result.batch_independent = std::all_of(shapes.begin(), shapes.end(), [&](const ProductShape& shape) {
      return Conv1DKeepsBits(shape, blocking, threads);
    });
    result.batch_independent =
        result.batch_independent && std::all_of(transposed.begin(), transposed.end(), [&](int64_t inner) {
          return TransposedKeepsBits(inner, blocking, threads);
        });
    if (result.batch_independent) break;
  }
  at::set_num_threads(threads);
  return result;
}

ProbeResult ProbeProductsOf(const Gpt2Config& config, int threads) {
  const int64_t d = config.n_embd, d_head = config.d_head(), f = config.n_inner;
  return ProbeProducts({{d, 3 * d}, {d, d}, {d_head, d}, {d, f}, {f, d}}, {d, d_head, f}, threads);
}

std::string NumericsString(const ProbeResult& probe) {
  const char* mode = std::getenv(kReproducibility);
  const std::string rows = absl::StrCat(kTileUnit, probe.blocking == RowBlocking::kFree ? "+" : "");
  return absl::StrCat("cpu=", CpuMaker(), "-", at::get_cpu_capability(), ";libtorch=", TORCH_VERSION,
                      ";cbwr=", mode ? mode : "unset", ";tile_rows=", rows, ";tile_columns=", kTileColumns, "/", kTransposedColumns,
                      ";attention_block=", kAttentionBlock);
}

}  // namespace hydrophone
