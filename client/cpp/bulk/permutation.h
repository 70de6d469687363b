// The shuffles of a bulk job, which are NumPy's.
#ifndef HYDROPHONE_CLIENT_CPP_BULK_PERMUTATION_H_
#define HYDROPHONE_CLIENT_CPP_BULK_PERMUTATION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hydrophone::client {

// The numbers from 0 to count - 1 in the order of numpy.random.RandomState(seed).permutation(count): Fisher and Yates's
// shuffle from the end on, its places drawn from the 32-bit Mersenne Twister under the smallest mask of ones, again
// where too large. NumPy promises that this order never changes. `count` is below 2^32.
std::vector<size_t> Permutation(uint32_t seed, size_t count);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_BULK_PERMUTATION_H_
