// How many bytes of captured data all requests together may hold, and who holds how many.
#ifndef HYDROPHONE_SERVER_SCHED_RESPONSE_BUDGET_H_
#define HYDROPHONE_SERVER_SCHED_RESPONSE_BUDGET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "server/core/metrics.h"
#include "server/core/tensor.h"

namespace hydrophone {

// A budget of bytes that leases are taken from.
//
//   scheduler ──owns──► ResponseBudget ◄──keeps── BudgetLease ◄──keeps── every TensorView of one job
//                                                                        (in an outbox, or in a slice that gRPC still
//                                                                        sends)
//
// The last view of a job that goes takes the lease with it, on whatever thread: that gives the job's bytes back. A
// lease may outlive the scheduler; `metrics` outlives every lease. Thread-safe.
class ResponseBudget : public std::enable_shared_from_this<ResponseBudget> {
 public:
  // A share of the budget; its destructor gives it back.
  class Lease {
   public:
    Lease(std::shared_ptr<ResponseBudget> budget, uint64_t bytes);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

   private:
    std::shared_ptr<ResponseBudget> budget_;
    uint64_t bytes_;
  };

  ResponseBudget(uint64_t capacity_bytes, Metrics* metrics);

  // A lease of so many bytes, or null while they are not free.
  std::shared_ptr<Lease> TryReserve(uint64_t bytes);

  // Calls `on_release` after every give-back, on the thread that gave back. Once a later call of this function has
  // returned, the earlier listener is not called any more. Null: nobody is called.
  void SetReleaseListener(std::function<void()> on_release);

  uint64_t capacity_bytes() const { return capacity_bytes_; }
  uint64_t used_bytes() const;

 private:
  void Release(uint64_t bytes);

  const uint64_t capacity_bytes_;
  Metrics* const metrics_;
  mutable std::mutex mutex_;  // guards used_bytes_
  uint64_t used_bytes_ = 0;
  std::mutex listener_mutex_;  // guards on_release_, and is held while it is called
  std::function<void()> on_release_;
};

// The same elements, kept alive together with the lease.
TensorView WithLease(TensorView rows, std::shared_ptr<const ResponseBudget::Lease> lease);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_RESPONSE_BUDGET_H_
