// A few threads for work that takes longer than I/O: reading requests, tokenizing, encoding, verifying.
#ifndef HYDROPHONE_SERVER_RPC_WORKER_POOL_H_
#define HYDROPHONE_SERVER_RPC_WORKER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/core/caller.h"
#include "server/sched/turns.h"

namespace hydrophone {

// Runs tasks, each once, on its own threads. Thread-safe.
class WorkerPool {
 public:
  using Task = std::function<void()>;

  // At most `max_waiting` new tasks wait for a thread; see Turns::IsFull. Throws std::system_error when the system
  // refuses a thread.
  WorkerPool(int threads, size_t max_waiting);
  // Runs the tasks that still wait, then joins the threads. No task may be added meanwhile.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Takes on a new task; false, without taking it, when too many wait. Callers take
  // turns (see Turns). `cost`: bytes of the request.
  bool Offer(const Caller& caller, int64_t cost, Task task) ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes on the next step of work that was taken on before; it runs before all new tasks. Never refuses: a call under
  // way has one step at a time, so the number of calls bounds these tasks.
  void AddStep(Task step) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // What a turn is worth. The least cost keeps small requests from counting as nothing.
  static constexpr int64_t kTurnBytes = 64 << 10;
  static constexpr int64_t kLeastBytes = 4 << 10;

  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for the next task; null when the pool ends and no task is left.
  Task Take() ABSL_LOCKS_EXCLUDED(mutex_);
  // Joins the threads when no task is left.
  void Quit() ABSL_LOCKS_EXCLUDED(mutex_);

  const size_t max_waiting_;
  Mutex mutex_;
  CondVar changed_;
  Turns<Task> new_tasks_ ABSL_GUARDED_BY(mutex_){kTurnBytes};
  std::deque<Task> next_steps_ ABSL_GUARDED_BY(mutex_);
  bool quitting_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_WORKER_POOL_H_
