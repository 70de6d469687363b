#include "client/cpp/bulk/permutation.h"

#include <numeric>
#include <random>
#include <utility>

namespace hydrophone::client {
namespace {

// A number from 0 to `most`.
size_t Draw(size_t most, std::mt19937* random) {
  size_t mask = most;
  for (unsigned shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
  while (true) {
    const size_t drawn = (*random)() & mask;
    if (drawn <= most) return drawn;
  }
}

}  // namespace

std::vector<size_t> Permutation(uint32_t seed, size_t count) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937 random(seed);
  for (size_t i = count; i-- > 1;) std::swap(order[i], order[Draw(i, &random)]);
  return order;
}

}  // namespace hydrophone::client
