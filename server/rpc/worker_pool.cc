#include "server/rpc/worker_pool.h"

#include <utility>

namespace hydrophone {

WorkerPool::WorkerPool(int threads, size_t max_waiting) : max_waiting_(max_waiting) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

WorkerPool::~WorkerPool() {
  {
    MutexLock lock(&mutex_);
    quitting_ = true;
    changed_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::Offer(Task task) {
  MutexLock lock(&mutex_);
  if (new_tasks_.size() >= max_waiting_) return false;
  new_tasks_.push_back(std::move(task));
  changed_.Signal();
  return true;
}

void WorkerPool::AddStep(Task step) {
  MutexLock lock(&mutex_);
  next_steps_.push_back(std::move(step));
  changed_.Signal();
}

WorkerPool::Task WorkerPool::Take() {
  MutexLock lock(&mutex_);
  while (!quitting_ && new_tasks_.empty() && next_steps_.empty()) changed_.Wait(&mutex_);
  std::deque<Task>& tasks = next_steps_.empty() ? new_tasks_ : next_steps_;
  if (tasks.empty()) return nullptr;
  Task task = std::move(tasks.front());
  tasks.pop_front();
  return task;
}

void WorkerPool::Loop() {
  // Each task, and what it holds, is destroyed without the mutex before the next one is taken.
  while (Task task = Take()) task();
}

}  // namespace hydrophone
