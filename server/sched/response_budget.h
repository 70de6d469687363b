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
// clang-format off
//   scheduler ──owns──► ResponseBudget ◄──keeps── BudgetLease ◄──keeps── every TensorView of one job
//                                                                        (in an outbox, or in a slice that gRPC still
//                                                                        sends)
// clang-format on
//
// The last view of a job that goes takes the lease with it, on whatever thread: that gives the job's bytes back. A
// lease may outlive the scheduler; `metrics` outlives every lease. Thread-safe.
class ResponseBudget : public std::enable_shared_from_this<ResponseBudget> {
 public:
  // A share of the budget; its destructor gives it back.
  class Lease {
   public:
    // `wait`: whose wait it passes, as ResponseBudget counts them; 0: nobody's.
    Lease(std::shared_ptr<ResponseBudget> budget, uint64_t bytes, uint64_t wait);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

   private:
    std::shared_ptr<ResponseBudget> budget_;
    uint64_t bytes_;
    uint64_t wait_;
  };

  ResponseBudget(uint64_t capacity_bytes, Metrics* metrics);

  // A lease of so many bytes, or null while they are not free.
  std::shared_ptr<Lease> TryReserve(uint64_t bytes);

  // Somebody begins to wait for so many bytes; until the next call, TryReservePassing leaves them to him.
  void SetAside(uint64_t bytes);

  // As TryReserve, for those who pass whoever waits: all of them since SetAside hold, together, at most what the budget
  // has beside the bytes set aside. So he waits for those who were there before him, and for none who came later.
  //
  // clang-format off
  //   |<────────────────────── capacity ──────────────────────>|
  //   |  those before him, until they let go   |     free      |
  //   |  those who pass him, at most |<───── set aside ───────>|
  // clang-format on
  std::shared_ptr<Lease> TryReservePassing(uint64_t bytes);

  // Calls `on_release` after every give-back, on the thread that gave back. Once a later call of this function has
  // returned, the earlier listener is not called any more. Null: nobody is called.
  void SetReleaseListener(std::function<void()> on_release);

  uint64_t capacity_bytes() const { return capacity_bytes_; }
  uint64_t used_bytes() const;

 private:
  // With mutex_ held.
  bool IsFree(uint64_t bytes) const { return bytes <= capacity_bytes_ - used_bytes_; }
  void Take(uint64_t bytes);
  void Release(uint64_t bytes, uint64_t wait);

  const uint64_t capacity_bytes_;
  Metrics* const metrics_;
  mutable std::mutex mutex_;  // guards what follows, up to the other mutex
  uint64_t used_bytes_ = 0;
  uint64_t wait_ = 0;             // how many waits have begun
  uint64_t set_aside_bytes_ = 0;  // for the latest
  uint64_t passing_bytes_ = 0;    // held by those who passed it
  std::mutex listener_mutex_;     // guards on_release_, and is held while it is called
  std::function<void()> on_release_;
};

// The same elements, kept alive together with the lease.
TensorView WithLease(TensorView rows, std::shared_ptr<const ResponseBudget::Lease> lease);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_RESPONSE_BUDGET_H_
