// exp and log in float64 by IEEE operations alone. The C library's differ in the last place from one version and one
// CPU to the next; these have the same bits everywhere, if products and sums are not contracted
// (HydrophoneTargets.cmake).
#ifndef HYDROPHONE_SERVER_CORE_PORTABLE_MATH_H_
#define HYDROPHONE_SERVER_CORE_PORTABLE_MATH_H_

namespace hydrophone {

// exp(x), within 2 units in the last place; 0 where it is below the smallest normal number, infinity where it is above
// the largest.
double PortableExp(double x);

// The natural logarithm of x, within 2 units in the last place or 1e-16; -infinity at 0 and at what lies below the
// smallest normal number, NaN below 0.
double PortableLog(double x);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CORE_PORTABLE_MATH_H_
