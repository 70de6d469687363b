#include "server/model/libtorch/thread_pool.h"

#include <algorithm>
#include <utility>

namespace hydrophone {
namespace {

constexpr uint32_t kInside = 1;
constexpr uint32_t kPlace = 1 << 16;

constexpr uint32_t PlacesOf(uint32_t doors) { return doors / kPlace; }
constexpr uint32_t InsideOf(uint32_t doors) { return doors % kPlace; }

// Whether this thread is inside some piece of work.
thread_local bool inside_work = false;

// Lets the other thread of a shared core go first.
void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(std::function<void()> begin) : begin_(std::move(begin)) {}

ThreadPool::~ThreadPool() {
  std::vector<std::thread> helpers;
  {
    MutexLock lock(&mutex_);
    helpers.swap(helpers_);
  }
  quitting_ = true;
  Open(static_cast<uint32_t>(helpers.size()));
  for (std::thread& helper : helpers) helper.join();
}

void ThreadPool::SetThreads(int threads) {
  MutexLock lock(&mutex_);
  threads_ = std::clamp(threads, 1, static_cast<int>(kPlace) - 1);
  while (static_cast<int>(helpers_.size()) < threads_ - 1) helpers_.emplace_back([this] { Help(); });
}

template <typename Ready>
void ThreadPool::Await(const std::atomic<uint32_t>& value, const Ready& ready) const {
  constexpr int kPausesBetweenLooksAtTheClock = 16;
  const auto sleep_from = std::chrono::steady_clock::now() + awake_.load();
  for (int pauses = 0; !ready(value.load()); ++pauses) {
    if (pauses % kPausesBetweenLooksAtTheClock == 0 && std::chrono::steady_clock::now() >= sleep_from) break;
    Pause();
  }
  for (uint32_t seen = value.load(); !ready(seen); seen = value.load()) value.wait(seen);
}

void ThreadPool::Run(int64_t threads, absl::FunctionRef<void()> work) {
  const int64_t used = std::min<int64_t>(threads, threads_);
  if (used <= 1 || inside_work || owned_.exchange(true)) return work();
  work_ = &work;
  Open(static_cast<uint32_t>(used - 1));
  Work(work);
  CloseAndAwaitHelpers();
  std::exception_ptr thrown;
  {
    MutexLock lock(&mutex_);
    thrown = std::exchange(thrown_, nullptr);
  }
  owned_ = false;
  if (thrown != nullptr) std::rethrow_exception(thrown);
}

void ThreadPool::Work(absl::FunctionRef<void()> work) {
  inside_work = true;
  try {
    work();
  } catch (...) {
    MutexLock lock(&mutex_);
    thrown_ = std::current_exception();
  }
  inside_work = false;
}

void ThreadPool::Open(uint32_t helpers) {
  doors_ += helpers * kPlace;
  for (uint32_t i = 0; i < helpers; ++i) doors_.notify_one();  // costs nothing while no helper sleeps
}

void ThreadPool::CloseAndAwaitHelpers() {
  if (InsideOf(doors_.fetch_and(kPlace - 1)) == 0) return;
  // Await has looked at the count before it looks at the doors, so a helper that leaves in between changes the count
  // under its sleep. The count alone says nothing: a helper of the piece before this one may still have to raise it.
  Await(emptied_, [this](uint32_t) { return doors_ == 0; });
}

void ThreadPool::Help() {
  begin_();
  while (Join()) {
    Work(*work_);
    Leave();
  }
}

bool ThreadPool::Join() {
  while (true) {
    Await(doors_, [](uint32_t doors) { return PlacesOf(doors) > 0; });
    if (quitting_) return false;
    uint32_t doors = doors_;
    while (PlacesOf(doors) > 0) {
      if (doors_.compare_exchange_weak(doors, doors - kPlace + kInside)) return true;
    }
  }
}

void ThreadPool::Leave() {
  if (InsideOf(doors_.fetch_sub(kInside)) != kInside) return;
  ++emptied_;
  emptied_.notify_one();
}

}  // namespace hydrophone
