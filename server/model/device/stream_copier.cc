#include "server/model/device/stream_copier.h"

#include <ATen/ops/empty.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>

#include <utility>

#include "server/model/libtorch/transfers.h"

namespace hydrophone {
namespace {

class StreamCopy final : public CopyUnderWay {
 public:
  StreamCopy(at::Tensor host, c10::Event copied) : host_(std::move(host)), copied_(std::move(copied)) {}

  bool Done() override { return copied_.query(); }
  void Wait() override { copied_.synchronize(); }
  const at::Tensor& host() const override { return host_; }

 private:
  const at::Tensor host_;
  const c10::Event copied_;
};

}  // namespace

StreamCopier::StreamCopier(at::Device device, bool pinned)
    : device_(device), pinned_(pinned), streams_(device.type()), side_(streams_.getStreamFromGlobalPool(device)) {}

std::unique_ptr<CopyUnderWay> StreamCopier::Start(const at::Tensor& value) {
  const at::Tensor contiguous = value.contiguous();
  c10::Event computed(device_.type()), copied(device_.type());
  computed.record(streams_.getStream(device_));
  computed.block(side_);
  at::Tensor host = pinned_ ? EmptyPinned(value.sizes(), value.scalar_type())
                            : at::empty(value.sizes(), at::TensorOptions(at::kCPU).dtype(value.scalar_type()));
  {
    const c10::StreamGuard on_side(side_);
    host.copy_(contiguous, /*non_blocking=*/true);
  }
  // Keeps the value's memory from another tensor of the compute stream until the side stream has read it.
  streams_.recordDataPtrOnStream(contiguous.storage().data_ptr(), side_);
  copied.record(side_);
  return std::make_unique<StreamCopy>(std::move(host), std::move(copied));
}

}  // namespace hydrophone
