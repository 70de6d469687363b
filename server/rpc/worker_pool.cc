#include "server/rpc/worker_pool.h"

#include <algorithm>
#include <utility>

namespace hydrophone {

WorkerPool::WorkerPool(int threads, size_t max_waiting) : max_waiting_(max_waiting) {
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
  } catch (...) {  // the system refuses another thread
    Quit();
    throw;
  }
}

WorkerPool::~WorkerPool() { Quit(); }

void WorkerPool::Quit() {
  {
    MutexLock lock(&mutex_);
    quitting_ = true;
    changed_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::Offer(const Caller& caller, int64_t cost, Task task) {
  MutexLock lock(&mutex_);
  if (new_tasks_.IsFull(max_waiting_, caller)) return false;
  new_tasks_.Push(caller, std::move(task), std::max(cost, kLeastBytes));
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
  if (!next_steps_.empty()) {
    Task step = std::move(next_steps_.front());
    next_steps_.pop_front();
    return step;
  }
  return new_tasks_.Next([](const Task&) { return true; }) == nullptr ? nullptr : new_tasks_.Take();
}

void WorkerPool::Loop() {
  // Each task, and what it holds, is destroyed without the mutex before the next one is taken.
  while (Task task = Take()) task();
}

}  // namespace hydrophone
