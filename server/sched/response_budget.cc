#include "server/sched/response_budget.h"

#include <utility>

namespace hydrophone {
namespace {

// Members are destroyed in reverse order: first the elements are freed, then their bytes are given back.
struct LeasedStorage {
  std::shared_ptr<const ResponseBudget::Lease> lease;
  std::shared_ptr<const void> storage;
};

}  // namespace

ResponseBudget::Lease::Lease(std::shared_ptr<ResponseBudget> budget, uint64_t bytes, uint64_t wait)
    : budget_(std::move(budget)), bytes_(bytes), wait_(wait) {}

// The token goes first: the listener to the release counts it as gone. A lease that was never filled ends unheard,
// because the scheduler's mutex, which the listener takes, is held then.
ResponseBudget::Lease::~Lease() {
  if (bytes_ == 0 && token_ == nullptr) return;
  token_.reset();
  budget_->Release(bytes_, wait_);
}

std::shared_ptr<ResponseBudget::Lease> ResponseBudget::Lease::Split(uint64_t bytes) {
  auto split = std::make_shared<Lease>(budget_, bytes, wait_);  // before the bytes change hands: it may throw
  split->Keep(token_);
  bytes_ -= bytes;
  return split;
}

ResponseBudget::ResponseBudget(uint64_t capacity_bytes, Metrics* metrics)
    : capacity_bytes_(capacity_bytes), metrics_(metrics) {}

bool ResponseBudget::HasRoom(uint64_t bytes, bool passing) const {
  MutexLock lock(&mutex_);
  return passing ? MayPass(bytes) : IsFree(bytes);
}

// A lease is made before its bytes are taken, since making it may throw.
std::shared_ptr<ResponseBudget::Lease> ResponseBudget::TryReserve(uint64_t bytes) {
  auto lease = std::make_shared<Lease>(shared_from_this(), 0, 0);
  MutexLock lock(&mutex_);
  if (!IsFree(bytes)) return nullptr;
  Take(bytes);
  lease->Fill(bytes, 0);
  return lease;
}

void ResponseBudget::SetAside(uint64_t bytes) {
  MutexLock lock(&mutex_);
  ++wait_;
  set_aside_bytes_ = bytes;
  passing_bytes_ = 0;
}

std::shared_ptr<ResponseBudget::Lease> ResponseBudget::TryReservePassing(uint64_t bytes) {
  auto lease = std::make_shared<Lease>(shared_from_this(), 0, 0);
  MutexLock lock(&mutex_);
  if (!MayPass(bytes)) return nullptr;
  Take(bytes);
  passing_bytes_ += bytes;
  lease->Fill(bytes, wait_);
  return lease;
}

void ResponseBudget::Take(uint64_t bytes) {
  used_bytes_ += bytes;
  metrics_->BudgetUsed(used_bytes_);
}

void ResponseBudget::Release(uint64_t bytes, uint64_t wait) {
  {
    MutexLock lock(&mutex_);
    used_bytes_ -= bytes;
    if (wait != 0 && wait == wait_) passing_bytes_ -= bytes;
    metrics_->BudgetUsed(used_bytes_);
  }
  MutexLock lock(&listener_mutex_);
  if (on_release_) on_release_();
}

void ResponseBudget::SetReleaseListener(std::function<void()> on_release) {
  MutexLock lock(&listener_mutex_);
  on_release_ = std::move(on_release);
}

uint64_t ResponseBudget::used_bytes() const {
  MutexLock lock(&mutex_);
  return used_bytes_;
}

TensorView WithLease(TensorView rows, std::shared_ptr<const ResponseBudget::Lease> lease) {
  rows.owner = std::make_shared<const LeasedStorage>(LeasedStorage{std::move(lease), std::move(rows.owner)});
  return rows;
}

}  // namespace hydrophone
