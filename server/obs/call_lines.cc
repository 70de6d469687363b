#include "server/obs/call_lines.h"

#include <chrono>
#include <utility>

namespace hydrophone {
namespace {

// A line waits this long for others: under load the thread then wakes for many lines at once, not for each.
constexpr std::chrono::milliseconds kGathering(20);

}  // namespace

CallLines::CallLines(Metrics* metrics, size_t max_waiting, Write write)
    : metrics_(metrics), max_waiting_(max_waiting), write_(std::move(write)), thread_([this] { Loop(); }) {}

CallLines::~CallLines() {
  {
    MutexLock lock(&mutex_);
    quitting_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

void CallLines::CallEnded(CallRecord call) {
  {
    MutexLock lock(&mutex_);
    if (waiting_.size() < max_waiting_) {
      waiting_.push_back(std::move(call));
      if (waiting_.size() == 1) changed_.SignalAll();  // for the others the thread is awake, or gathers
      return;
    }
  }
  metrics_->LogLineDropped();
}

void CallLines::Flush() {
  MutexLock lock(&mutex_);
  while (writing_ || !waiting_.empty()) changed_.Wait(&mutex_);
}

std::vector<CallRecord> CallLines::Take() {
  MutexLock lock(&mutex_);
  writing_ = false;
  if (waiting_.empty()) changed_.SignalAll();
  while (!quitting_ && waiting_.empty()) changed_.Wait(&mutex_);
  if (!quitting_) changed_.WaitUntil(&mutex_, std::chrono::system_clock::now() + kGathering);
  writing_ = !waiting_.empty();
  return std::exchange(waiting_, {});
}

void CallLines::Loop() {
  for (std::vector<CallRecord> calls = Take(); !calls.empty(); calls = Take()) {
    for (const CallRecord& call : calls) write_(call);
  }
}

}  // namespace hydrophone
