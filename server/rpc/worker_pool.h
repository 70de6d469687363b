// A few threads for work that takes longer than I/O: reading requests, tokenizing, encoding, verifying.
#ifndef HYDROPHONE_SERVER_RPC_WORKER_POOL_H_
#define HYDROPHONE_SERVER_RPC_WORKER_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace hydrophone {

// Runs tasks, each once, on its own threads. Thread-safe.
class WorkerPool {
 public:
  using Task = std::function<void()>;

  // At most `max_waiting` new tasks wait for a thread.
  WorkerPool(int threads, size_t max_waiting);
  // Runs the tasks that still wait, then joins the threads. No task may be added meanwhile.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Takes on a new task; false, without taking it, when too many wait.
  bool Offer(Task task) ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes on the next step of work that was taken on before; it runs before all new tasks. Never refuses: a call under
  // way has one step at a time, so the number of calls bounds these tasks.
  void AddStep(Task step) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for the next task; null when the pool ends and no task is left.
  Task Take() ABSL_LOCKS_EXCLUDED(mutex_);

  const size_t max_waiting_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Task> new_tasks_ ABSL_GUARDED_BY(mutex_);
  std::deque<Task> next_steps_ ABSL_GUARDED_BY(mutex_);
  bool quitting_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_WORKER_POOL_H_
