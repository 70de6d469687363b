// y = x weight + bias and y = x weight^T, with bits that do not depend on how many rows are multiplied together, nor on the number of threads.
#ifndef HYDROPHONE_SERVER_MODEL_LINEAR_H_
#define HYDROPHONE_SERVER_MODEL_LINEAR_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "server/checkpoint/gpt2_config.h"

namespace hydrophone {

// How the rows of a product reach the BLAS. Either way the product is a grid of tiles, each computed on one thread; the columns of
// a tile depend on the weight's shape alone.
enum class RowBlocking : uint8_t {
  // As many rows a tile as leave every thread one, since a BLAS packs the weights anew for each tile; never fewer than kTileUnit
  // (zero rows are added): with few rows, BLAS libraries switch to kernels that sum in another order. Relies on a BLAS mode that
  // keeps a row's bits for every larger number of rows.
  kFree,
  // Tiles of exactly kTileUnit (zero rows are added to the last): the BLAS always sees the same shapes. Slower.
  kFixed,
};

inline constexpr int64_t kTileUnit = 16;      // rows and columns of a tile are multiples of it, but for the last
inline constexpr int64_t kTileColumns = 192;  // at most: a width of 768 makes four tiles, so that a thread that was held up holds up nobody for long

// The widths of the tiles that Conv1D makes of a weight [in, out]: one or two.
std::vector<int64_t> TileWidths(int64_t out);

// Columns of every tile of TimesTransposed: it takes weights of any number of rows, so all of its products have one shape.
inline constexpr int64_t kTransposedColumns = 64;

// Hugging Face's Conv1D. x [n, in], weight [in, out], bias [out], all float32 and contiguous; gives a new [n, out].
// `activation` is applied to it where there is one, while its rows are still in the cache.
at::Tensor Conv1D(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, RowBlocking blocking,
                  std::optional<Gpt2Config::Activation> activation = std::nullopt);

// x [n, in], weight [count, in], both float32 and contiguous; gives a new [n, count]: dot products of every row of x with every row
// of weight, which do not depend on what other rows weight has.
at::Tensor TimesTransposed(const at::Tensor& x, const at::Tensor& weight, RowBlocking blocking);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_LINEAR_H_
