// A few threads for what takes longer than I/O: reading requests, tokenizing, encoding, verifying.
#ifndef HYDROPHONE_SERVER_RPC_WORKER_POOL_H_
#define HYDROPHONE_SERVER_RPC_WORKER_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hydrophone {

// Runs tasks, each once, on its own threads. Thread-safe.
class WorkerPool {
 public:
  using Task = std::function<void()>;

  // At most `max_waiting` new tasks wait for a thread.
  WorkerPool(int threads, size_t max_waiting);
  // Runs what still waits, then joins. No task may be added meanwhile.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Takes on a new task; false, without taking it, when too many wait.
  bool Offer(Task task);

  // Takes on the next step of something already taken on, before all new tasks. Never refuses: whoever is under way
  // adds one step at a time, so those who are under way bound it.
  void Continue(Task task);

 private:
  void Loop();

  const size_t max_waiting_;
  std::mutex mutex_;  // guards what follows up to the threads
  std::condition_variable changed_;
  std::deque<Task> new_tasks_;
  std::deque<Task> next_steps_;
  bool quitting_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_WORKER_POOL_H_
