// A copier with a stream of its own, for any device that has streams.
#ifndef HYDROPHONE_SERVER_MODEL_DEVICE_STREAM_COPIER_H_
#define HYDROPHONE_SERVER_MODEL_DEVICE_STREAM_COPIER_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <memory>

#include "server/model/taps/host_copies.h"

namespace hydrophone {

// Each copy waits, on the device, for the work that the current stream had been given when the copy was started. Used
// by one thread.
class StreamCopier final : public Copier {
 public:
  // REQUIRES: `device` has been opened (device.h). Without `pinned`, copies go to ordinary memory, and the side stream
  // waits for each of them.
  explicit StreamCopier(at::Device device, bool pinned = true);

  std::unique_ptr<CopyUnderWay> Start(const at::Tensor& value) override;

 private:
  const at::Device device_;
  const bool pinned_;
  const c10::impl::VirtualGuardImpl streams_;
  const c10::Stream side_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_MODEL_DEVICE_STREAM_COPIER_H_
