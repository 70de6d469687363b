#include "server/rpc/worker_pool.h"

#include <utility>

namespace hydrophone {

WorkerPool::WorkerPool(int threads, size_t max_waiting) : max_waiting_(max_waiting) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    quitting_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::Offer(Task task) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (new_tasks_.size() >= max_waiting_) return false;
  new_tasks_.push_back(std::move(task));
  changed_.notify_one();
  return true;
}

void WorkerPool::Continue(Task task) {
  std::lock_guard<std::mutex> lock(mutex_);
  next_steps_.push_back(std::move(task));
  changed_.notify_one();
}

void WorkerPool::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return quitting_ || !new_tasks_.empty() || !next_steps_.empty(); });
    std::deque<Task>& tasks = next_steps_.empty() ? new_tasks_ : next_steps_;
    if (tasks.empty()) return;
    Task task = std::move(tasks.front());
    tasks.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds goes without the lock
    lock.lock();
  }
}

}  // namespace hydrophone
