// How many bytes of captured data all requests together may hold, and how many each of them holds.
#ifndef HYDROPHONE_SERVER_SCHED_RESPONSE_BUDGET_H_
#define HYDROPHONE_SERVER_SCHED_RESPONSE_BUDGET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/core/metrics.h"
#include "server/core/tensor.h"

namespace hydrophone {

// A budget of bytes that leases are taken from.
//
// clang-format off
//   scheduler ──owns──► ResponseBudget ◄──keeps── Lease ◄──keeps── every TensorView of one capture
//                                                                  (in an outbox, or in a slice that gRPC still sends)
// clang-format on
//
// The lease of a slice is split as its captures come. When the last view of a capture is destroyed, on whatever thread,
// its lease is destroyed with it and gives the capture's bytes back. A lease may outlive the scheduler; `metrics`
// outlives every lease. Thread-safe.
class ResponseBudget : public std::enable_shared_from_this<ResponseBudget> {
 public:
  // A share of the budget; its destructor gives it back.
  class Lease {
   public:
    // `wait`: the number of the SetAside that this lease overtakes; 0 when it overtakes none.
    Lease(std::shared_ptr<ResponseBudget> budget, uint64_t bytes, uint64_t wait);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    // A lease of so many of this one's bytes, which it has no more. Not thread-safe. REQUIRES: bytes <= bytes().
    std::shared_ptr<Lease> Split(uint64_t bytes);
    uint64_t bytes() const { return bytes_; }

    // Keeps `token` as long as this lease, or one that is split from it later, exists.
    void Keep(std::shared_ptr<const void> token) { token_ = std::move(token); }

   private:
    friend class ResponseBudget;

    // Makes an empty lease one of `bytes`.
    void Fill(uint64_t bytes, uint64_t wait) {
      bytes_ = bytes;
      wait_ = wait;
    }

    std::shared_ptr<ResponseBudget> budget_;
    uint64_t bytes_;
    uint64_t wait_;
    std::shared_ptr<const void> token_;
  };

  ResponseBudget(uint64_t capacity_bytes, Metrics* metrics);

  // Whether TryReserve, or with `passing` TryReservePassing, would give a lease of so many bytes.
  bool HasRoom(uint64_t bytes, bool passing) const ABSL_LOCKS_EXCLUDED(mutex_);

  // A lease of so many bytes, or null while they are not free.
  std::shared_ptr<Lease> TryReserve(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // Sets `bytes` aside for a job that begins to wait for them: until the next call, TryReservePassing leaves them free.
  void SetAside(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // As TryReserve, for a job that overtakes the waiting one. All leases taken this way since SetAside hold, together,
  // at most what the budget has beside the bytes set aside. So the waiting job waits for the leases that were there
  // before it, and for none that came later.
  //
  // clang-format off
  //   |<────────────────────── capacity ──────────────────────>|
  //   |  leases from before, until they end    |     free      |
  //   |  leases that overtake, at most |<──── set aside ──────>|
  // clang-format on
  std::shared_ptr<Lease> TryReservePassing(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls `on_release` whenever a lease has given its bytes back, on the thread on which the lease ended. Once a later
  // call of this function has returned, the earlier listener is not called any more. Null: no listener.
  void SetReleaseListener(std::function<void()> on_release) ABSL_LOCKS_EXCLUDED(listener_mutex_);

  uint64_t capacity_bytes() const { return capacity_bytes_; }
  uint64_t used_bytes() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  bool IsFree(uint64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return bytes <= capacity_bytes_ - used_bytes_;
  }
  bool MayPass(uint64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return IsFree(bytes) && bytes <= capacity_bytes_ - set_aside_bytes_ - passing_bytes_;
  }
  void Take(uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Called when a lease ends.
  void Release(uint64_t bytes, uint64_t wait) ABSL_LOCKS_EXCLUDED(listener_mutex_, mutex_);

  const uint64_t capacity_bytes_;
  Metrics* const metrics_;

  // Held while the listener runs: see the lock order in scheduler.h.
  Mutex listener_mutex_;
  std::function<void()> on_release_ ABSL_GUARDED_BY(listener_mutex_);

  mutable Mutex mutex_;
  uint64_t used_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t wait_ ABSL_GUARDED_BY(mutex_) = 0;             // the number of the latest SetAside; 0 before the first
  uint64_t set_aside_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // by the latest SetAside
  uint64_t passing_bytes_ ABSL_GUARDED_BY(mutex_) = 0;    // held by the leases that overtake it
};

// The elements of `rows`, kept alive together with the lease.
TensorView WithLease(TensorView rows, std::shared_ptr<const ResponseBudget::Lease> lease);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_RESPONSE_BUDGET_H_
