#include "server/sched/response_budget.h"

#include <utility>

namespace hydrophone {
namespace {

// Members go in reverse order: the elements first, then their bytes are free for others.
struct LeasedStorage {
  std::shared_ptr<const ResponseBudget::Lease> lease;
  std::shared_ptr<const void> storage;
};

}  // namespace

ResponseBudget::Lease::Lease(std::shared_ptr<ResponseBudget> budget, uint64_t bytes)
    : budget_(std::move(budget)), bytes_(bytes) {}

ResponseBudget::Lease::~Lease() { budget_->Release(bytes_); }

ResponseBudget::ResponseBudget(uint64_t capacity_bytes, Metrics* metrics)
    : capacity_bytes_(capacity_bytes), metrics_(metrics) {}

std::shared_ptr<ResponseBudget::Lease> ResponseBudget::TryReserve(uint64_t bytes) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (bytes > capacity_bytes_ - used_bytes_) return nullptr;
    used_bytes_ += bytes;
    metrics_->BudgetUsed(used_bytes_);
  }
  return std::make_shared<Lease>(shared_from_this(), bytes);
}

void ResponseBudget::Release(uint64_t bytes) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    used_bytes_ -= bytes;
    metrics_->BudgetUsed(used_bytes_);
  }
  std::lock_guard<std::mutex> lock(listener_mutex_);
  if (on_release_) on_release_();
}

void ResponseBudget::SetReleaseListener(std::function<void()> on_release) {
  std::lock_guard<std::mutex> lock(listener_mutex_);
  on_release_ = std::move(on_release);
}

uint64_t ResponseBudget::used_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return used_bytes_;
}

TensorView WithLease(TensorView rows, std::shared_ptr<const ResponseBudget::Lease> lease) {
  rows.owner = std::make_shared<const LeasedStorage>(LeasedStorage{std::move(lease), std::move(rows.owner)});
  return rows;
}

}  // namespace hydrophone
