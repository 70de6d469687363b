// Copies values of a forward pass from the device to the host's memory, beside the computation.
//
// clang-format off
//   compute stream  ── block 0 ──┬── block 1 ──┬── block 2 ──►    the host's thread enqueues all of it and waits for none
//   side stream                  └─ copy ─┐    └─ copy ─┐
//   host's memory                         ▼             ▼
//                                      arrived       arrived      in the order of asking, in Poll, Fetch, Queue, Finish
// clang-format on
#ifndef HYDROPHONE_SERVER_MODEL_TAPS_HOST_COPIES_H_
#define HYDROPHONE_SERVER_MODEL_TAPS_HOST_COPIES_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace hydrophone {

// One copy that a device is making.
class CopyUnderWay {
 public:
  virtual ~CopyUnderWay() = default;

  virtual bool Done() = 0;
  virtual void Wait() = 0;
  // The copy: contiguous, in the host's memory. It must not be read before it is done.
  virtual const at::Tensor& host() const = 0;
};

// How a device copies. Both calls are cheap: neither waits for what computes the value.
class Copier {
 public:
  virtual ~Copier() = default;

  // `value` may be freed at once, but must not be written to any more.
  virtual std::unique_ptr<CopyUnderWay> Start(const at::Tensor& value) = 0;
};

// The most bytes of captures that may wait on the device to be copied. When there would be more, Fetch first waits for
// the oldest copy.
inline constexpr size_t kMostBytesUnderWay = size_t{256} << 20;

// Used by one thread, during one forward pass. Copies that have not arrived when this is destroyed are dropped.
class HostCopies {
 public:
  // Takes a value's copy. The functions below call it, once, in the order of Fetch and Queue.
  using Arrived = std::function<void(const at::Tensor& host)>;

  explicit HostCopies(std::unique_ptr<Copier> copier, size_t most_bytes = kMostBytesUnderWay)
      : copier_(std::move(copier)), most_bytes_(most_bytes) {}

  // Starts a copy of `value`, which must not be written to any more.
  void Fetch(const at::Tensor& value, Arrived arrived);
  // Delivers a value that is in the host's memory already, but not before what was asked for earlier.
  void Queue(const at::Tensor& host, Arrived arrived);

  // Delivers the copies that are done, without waiting.
  void Poll();
  // Waits for all copies and delivers them.
  void Finish();

 private:
  struct Entry {
    std::unique_ptr<CopyUnderWay> copy;  // null when `host` holds the value
    at::Tensor host;
    Arrived arrived;
    size_t bytes = 0;
  };

  // Waits for the oldest copy and delivers it.
  void DeliverOldest();

  std::unique_ptr<Copier> copier_;
  const size_t most_bytes_;
  std::deque<Entry> under_way_;
  size_t bytes_ = 0;  // of the copies under way
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_HOST_COPIES_H_
