// Metrics that a test reads and waits for.
#ifndef HYDROPHONE_TESTS_FAKES_FAKE_METRICS_H_
#define HYDROPHONE_TESTS_FAKES_FAKE_METRICS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "server/base/mutex.h"
#include "server/core/metrics.h"
#include "tests/fakes/await.h"

namespace hydrophone {

class FakeMetrics : public Metrics {
 public:
  void RpcStarted(absl::string_view method) override {
    Change([&] { ++started_[std::string(method)]; });
  }
  void RpcHandled(absl::string_view method, absl::string_view code, absl::Duration) override {
    Change([&] { ++handled_[absl::StrCat(method, " ", code)]; });
  }
  void RpcMessageReceived(absl::string_view method) override {
    Change([&] { ++received_[std::string(method)]; });
  }
  void RpcMessageSent(absl::string_view method, uint64_t bytes) override {
    Change([&] {
      ++sent_[std::string(method)];
      sent_bytes_ += bytes;
    });
  }
  void CallRefused(absl::string_view reason) override {
    Change([&] { ++refused_[std::string(reason)]; });
  }
  void CallGivenUp(CallStage stage) override {
    Change([&] { ++given_up_[stage]; });
  }
  void FirstTensor(absl::Duration elapsed) override {
    Change([&] { first_tensors_.push_back(elapsed); });
  }
  void WriteStalled() override {
    Change([&] { ++stalled_writes_; });
  }
  void Draining() override {
    Change([&] { draining_ = true; });
  }
  void QueueDepth(int64_t requests) override {
    Change([&] { queue_depth_ = requests; });
  }
  void BudgetUsed(uint64_t bytes) override {
    Change([&] { budget_used_ = bytes; });
  }
  void BatchDone(int64_t, int64_t tokens, absl::Duration) override {
    Change([&] { batch_tokens_.push_back(tokens); });
  }
  void QueueWait(WorkClass, absl::Duration elapsed) override {
    Change([&] { waits_.push_back(elapsed); });
  }
  void PrefixTokensSaved(int64_t tokens) override {
    Change([&] { prefix_tokens_saved_ += tokens; });
  }
  void LogLineDropped() override {
    Change([&] { ++lines_dropped_; });
  }

  int started(const std::string& method) { return Count(started_, method); }
  int handled(const std::string& method_and_code) { return Count(handled_, method_and_code); }
  int received(const std::string& method) { return Count(received_, method); }
  int sent(const std::string& method) { return Count(sent_, method); }
  int refused(const std::string& reason) { return Count(refused_, reason); }
  int given_up(CallStage stage) { return Count(given_up_, stage); }
  std::vector<absl::Duration> first_tensors() { return Read(first_tensors_); }
  int stalled_writes() { return Read(stalled_writes_); }
  bool draining() { return Read(draining_); }
  int64_t prefix_tokens_saved() { return Read(prefix_tokens_saved_); }
  int lines_dropped() { return Read(lines_dropped_); }
  uint64_t budget_used() { return Read(budget_used_); }
  std::vector<int64_t> batch_tokens() { return Read(batch_tokens_); }
  std::vector<absl::Duration> waits() { return Read(waits_); }

  // These wait until the metrics say so, and fail the test when that does not come.
  void AwaitHandled(const std::string& method_and_code, int count = 1) {
    Await(absl::StrCat(count, " calls handled as \"", method_and_code, "\""),
          [&] { return handled_[method_and_code] >= count; });
  }
  // Waits until `count` calls have ended, of whatever method and with whatever code.
  void AwaitHandledInAll(int count) {
    Await(absl::StrCat(count, " calls handled in all"), [&] {
      int all = 0;
      for (const auto& [method_and_code, calls] : handled_) all += calls;
      return all >= count;
    });
  }
  void AwaitGivenUp(CallStage stage, int count = 1) {
    Await(absl::StrCat(count, " calls given up at stage ", static_cast<int>(stage)),
          [&] { return given_up_[stage] >= count; });
  }
  void AwaitQueueDepth(int64_t requests) {
    Await(absl::StrCat("a queue of ", requests, " requests"), [&] { return queue_depth_ == requests; });
  }
  void AwaitBudgetUsed(uint64_t bytes) {
    Await(absl::StrCat(bytes, " bytes of the budget in use"), [&] { return budget_used_ == bytes; });
  }

 private:
  void Change(const std::function<void()>& change) {
    MutexLock lock(&mutex_);
    change();
    changed_.SignalAll();
  }
  template <typename T>
  T Read(const T& number) {
    MutexLock lock(&mutex_);
    return number;
  }
  template <typename Key>
  int Count(std::map<Key, int>& counts, const Key& key) {
    MutexLock lock(&mutex_);
    return counts[key];
  }
  void Await(const std::string& what, const std::function<bool()>& condition) {
    MutexLock lock(&mutex_);
    Patience patience(what);
    while (!condition() && patience.WaitOn(changed_, &mutex_)) {
    }
  }

  Mutex mutex_;  // guards every member below; functions reach them through references, so clang cannot check that
  CondVar changed_;
  std::map<std::string, int> started_, handled_, received_, sent_, refused_;
  std::map<CallStage, int> given_up_;
  std::vector<absl::Duration> first_tensors_;
  int stalled_writes_ = 0;
  bool draining_ = false;
  int64_t prefix_tokens_saved_ = 0;
  int lines_dropped_ = 0;
  uint64_t sent_bytes_ = 0;
  int64_t queue_depth_ = 0;
  uint64_t budget_used_ = 0;
  std::vector<int64_t> batch_tokens_;
  std::vector<absl::Duration> waits_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_FAKE_METRICS_H_
