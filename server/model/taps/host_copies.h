// Values of a forward pass on their way from the device to the host's memory, beside the computation.
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
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace hydrophone {

// One copy that a device makes.
class CopyUnderWay {
 public:
  virtual ~CopyUnderWay() = default;

  virtual bool Done() = 0;
  virtual void Wait() = 0;
  // The copy: contiguous, in the host's memory, and not to be read before it is done.
  virtual const at::Tensor& host() const = 0;
};

// How a device copies. Both calls are cheap: neither waits for what computes the value.
class Copier {
 public:
  virtual ~Copier() = default;

  // `value` may be freed at once, but not be written to any more.
  virtual std::unique_ptr<CopyUnderWay> Start(const at::Tensor& value) = 0;
};

// Of the captures that have been computed but not copied yet, on the device. With more under way, Fetch waits for the
// oldest.
inline constexpr size_t kMostBytesUnderWay = size_t{256} << 20;

// Used by one thread, during one forward pass. What has not arrived when this is destroyed is forgotten.
class HostCopies {
 public:
  // Takes a value's copy. Called once, in the order of Fetch and Queue, by one of the functions below.
  using Arrived = std::function<void(const at::Tensor& host)>;

  explicit HostCopies(std::unique_ptr<Copier> copier, size_t most_bytes = kMostBytesUnderWay)
      : copier_(std::move(copier)), most_bytes_(most_bytes) {}

  // Copies `value`, which must not be written to any more.
  void Fetch(const at::Tensor& value, Arrived arrived);
  // For what is in the host's memory already, and must not be handed over before what was asked for earlier.
  void Queue(const at::Tensor& host, Arrived arrived);

  // Hands over what is done, without waiting.
  void Poll();
  // Waits for everything and hands it over.
  void Finish();

 private:
  struct Entry {
    std::unique_ptr<CopyUnderWay> copy;  // null: `host` is there
    at::Tensor host;
    Arrived arrived;
    size_t bytes = 0;
  };

  // The oldest, after waiting for it.
  void HandOver();

  std::unique_ptr<Copier> copier_;
  const size_t most_bytes_;
  std::deque<Entry> under_way_;
  size_t bytes_ = 0;  // of the copies under way
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_TAPS_HOST_COPIES_H_
