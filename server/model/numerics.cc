#include "server/model/numerics.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <sched.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/model/attention_products.h"

namespace hydrophone {
namespace {

constexpr char kReproducibility[] = "MKL_CBWR";

// Row counts at which BLAS libraries were seen to change kernels, and neighbours of powers of two; on one thread fewer of them,
// since what they share with many threads need not be looked at twice.
constexpr int64_t kProbeRows[] = {1, 5, 16, 17, 31, 33, 64, 100, 129, 200, 257, 513};
constexpr int64_t kProbeRowsAlone[] = {3, 17, 129, 513};
constexpr int64_t kMostProbeRows = 520;

// Whether x's first `rows` rows, and its last, have the bits that they have in `all`.
template <typename Multiply>
bool SameAlone(const at::Tensor& x, const at::Tensor& all, int64_t rows, const Multiply& multiply) {
  for (int64_t first : {int64_t{0}, x.size(0) - rows}) {
    if (!at::equal(multiply(x.narrow(0, first, rows)), all.narrow(0, first, rows))) return false;
  }
  return true;
}

// Whether rows keep their bits when fewer, or others, are multiplied with them, on one thread and on `threads`.
// `multiply` gives a product with x [rows, inner].
template <typename Multiply>
bool KeepsBits(int64_t inner, int threads, const Multiply& multiply) {
  const at::Tensor x = at::rand({kMostProbeRows, inner}).sub_(0.5);
  at::set_num_threads(threads);
  const at::Tensor all = multiply(x);
  const auto same = [&](int64_t rows) { return SameAlone(x, all, rows, multiply); };
  if (!std::all_of(std::begin(kProbeRows), std::end(kProbeRows), same)) return false;
  at::set_num_threads(1);
  return std::all_of(std::begin(kProbeRowsAlone), std::end(kProbeRowsAlone), same);
}

// The first `width` columns of a weight [in, out]: what the BLAS is given of it at a time.
bool TileKeepsBits(ProductShape shape, int64_t width, RowBlocking blocking, int threads) {
  const at::Tensor tile = at::empty({shape.first, shape.second}).narrow(1, 0, width);
  tile.copy_(at::rand({shape.first, width}).sub_(0.5));
  const at::Tensor bias = at::rand({width});
  return KeepsBits(shape.first, threads, [&](const at::Tensor& x) { return Conv1D(x, tile, bias, blocking); });
}

// All products with transposed weights have one shape but for the inner size.
bool TransposedKeepsBits(int64_t inner, RowBlocking blocking, int threads) {
  const at::Tensor weight = at::rand({kTransposedColumns, inner}).sub_(0.5);
  return KeepsBits(inner, threads, [&](const at::Tensor& x) { return TimesTransposed(x, weight, blocking); });
}

bool AllKeepBits(const std::vector<ProductShape>& shapes, const std::vector<int64_t>& transposed, RowBlocking blocking,
                 int threads) {
  std::set<std::pair<int64_t, int64_t>> seen;  // inner size and width: what the BLAS chooses its kernels by
  for (const ProductShape& shape : shapes) {
    for (int64_t width : TileWidths(shape.second)) {
      if (seen.emplace(shape.first, width).second && !TileKeepsBits(shape, width, blocking, threads)) return false;
    }
  }
  return std::all_of(transposed.begin(), transposed.end(),
                     [&](int64_t inner) { return TransposedKeepsBits(inner, blocking, threads); });
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
    result.batch_independent = AllKeepBits(shapes, transposed, blocking, threads);
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
                      ";attention=", SumsAreFused() ? "fused" : "plain");
}

}  // namespace hydrophone
