// Random numbers that are the same in every run of a test.
#ifndef HYDROPHONE_TESTS_SERVER_MODEL_SEEDED_H_
#define HYDROPHONE_TESTS_SERVER_MODEL_SEEDED_H_

#include <ATen/ATen.h>

namespace hydrophone {

// A base class for fixtures: seeds libtorch's generator, which at::randn draws from and which is otherwise seeded
// differently in each process. As a base it comes before the fixture's members, so they may be random too.
class Seeded {
 protected:
  Seeded() { at::manual_seed(1); }
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_SERVER_MODEL_SEEDED_H_
