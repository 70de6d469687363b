// A device's copies without a device: tests decide how late they are done, and the values stay in the host's memory.
#ifndef HYDROPHONE_TESTS_FAKES_LATE_COPIES_H_
#define HYDROPHONE_TESTS_FAKES_LATE_COPIES_H_

#include <ATen/ATen.h>

#include <limits>
#include <memory>
#include <vector>

#include "server/model/taps/host_copies.h"

namespace hydrophone {

// The progress of one copy, which a test reads after the copy itself is gone.
struct LateCopyState {
  int looks_until_done = 0;  // how many more calls of Done return false
  bool waited = false;
};

// Each copy is done after `looks` calls of Done, or when it is waited for; only then does it have its values.
class LateCopier final : public Copier {
 public:
  static constexpr int kNever = std::numeric_limits<int>::max();

  explicit LateCopier(int looks) : looks_(looks) {}

  std::unique_ptr<CopyUnderWay> Start(const at::Tensor& value) override {
    states_.push_back(std::make_shared<LateCopyState>(LateCopyState{looks_, false}));
    return std::make_unique<Copy>(value, states_.back());
  }

  const std::vector<std::shared_ptr<LateCopyState>>& states() const { return states_; }

 private:
  class Copy final : public CopyUnderWay {
   public:
    Copy(const at::Tensor& value, std::shared_ptr<LateCopyState> state)
        : value_(value.clone(at::MemoryFormat::Contiguous)),
          host_(at::full(value.sizes(), std::numeric_limits<double>::quiet_NaN())),
          state_(std::move(state)) {}

    bool Done() override {
      if (state_->looks_until_done > 0) return --state_->looks_until_done, false;
      host_.copy_(value_);
      return true;
    }
    void Wait() override {
      state_->waited = true;
      host_.copy_(value_);
    }
    const at::Tensor& host() const override { return host_; }

   private:
    const at::Tensor value_;
    at::Tensor host_;
    const std::shared_ptr<LateCopyState> state_;
  };

  const int looks_;
  std::vector<std::shared_ptr<LateCopyState>> states_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_LATE_COPIES_H_
