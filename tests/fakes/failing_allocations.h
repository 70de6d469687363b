// Makes operator new fail, as it does when memory runs out. A program that links this has an operator new of its own.
#ifndef HYDROPHONE_TESTS_FAKES_FAILING_ALLOCATIONS_H_
#define HYDROPHONE_TESTS_FAKES_FAILING_ALLOCATIONS_H_

#include <cstddef>

namespace hydrophone {

// From its construction to its end, operator new of `bytes` and more fails on every thread that is not spared. One at a
// time.
class FailingAllocations {
 public:
  explicit FailingAllocations(size_t bytes);
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;

  // From now on, nothing fails on the calling thread.
  static void SpareThisThread();

  // How many allocations have failed.
  size_t failed() const;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAILING_ALLOCATIONS_H_
