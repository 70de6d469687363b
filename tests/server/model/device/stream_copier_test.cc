// The order in which a copy deals with a device's streams, on streams that only write down what they are told.
#include "server/model/device/stream_copier.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hydrophone {
namespace {

using testing::ElementsAre;

constexpr c10::StreamId kCompute = 0, kSide = 1;
constexpr c10::DeviceType kType = c10::DeviceType::PrivateUse1;  // no device of this machine's is one

std::vector<std::string>& Told() {
  static std::vector<std::string> told;
  return told;
}

const char* NameOf(const c10::Stream& stream) { return stream.id() == kSide ? "side" : "compute"; }

class WritesDown final : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return kType; }
  c10::Device exchangeDevice(c10::Device device) const override { return device; }
  c10::Device getDevice() const override { return {kType, 0}; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }

  c10::Stream getStream(c10::Device device) const override {
    return c10::Stream(c10::Stream::UNSAFE, device, current_);
  }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool) const override {
    return c10::Stream(c10::Stream::UNSAFE, device, kSide);
  }
  c10::Stream exchangeStream(c10::Stream stream) const override {
    const c10::Stream before = getStream(stream.device());
    current_ = stream.id();
    Told().push_back(std::string("work goes to ") + NameOf(stream));
    return before;
  }

  // Events are numbers from 1 on.
  void record(void** event, const c10::Stream& stream, c10::DeviceIndex, c10::EventFlag) const override {
    *event = reinterpret_cast<void*>(++events_);
    Told().push_back(std::string(NameOf(stream)) + " records " + std::to_string(events_));
  }
  void block(void* event, const c10::Stream& stream) const override {
    Told().push_back(std::string(NameOf(stream)) + " waits for " + Number(event));
  }
  bool queryEvent(void* event) const override {
    Told().push_back("is " + Number(event) + " reached?");
    return false;
  }
  void synchronizeEvent(void* event) const override { Told().push_back("host waits for " + Number(event)); }
  void recordDataPtrOnStream(const c10::DataPtr&, const c10::Stream& stream) const override {
    Told().push_back(std::string("memory is in use on ") + NameOf(stream));
  }

 private:
  static std::string Number(void* event) { return std::to_string(reinterpret_cast<uintptr_t>(event)); }

  mutable c10::StreamId current_ = kCompute;
  mutable uintptr_t events_ = 0;
};

const c10::impl::DeviceGuardImplRegistrar registrar(kType, new WritesDown);

TEST(StreamCopierTest, CopiesOnTheSideStreamAfterWhatComputesTheValue) {
  StreamCopier copier({kType, 0}, /*pinned=*/false);
  const at::Tensor value = at::arange(6, at::kFloat).view({2, 3});
  const std::unique_ptr<CopyUnderWay> copy = copier.Start(value.t());
  EXPECT_THAT(Told(), ElementsAre("compute records 1", "side waits for 1", "work goes to side", "work goes to compute",
                                  "memory is in use on side", "side records 2"));
  Told().clear();
  EXPECT_FALSE(copy->Done());
  copy->Wait();
  EXPECT_THAT(Told(), ElementsAre("is 2 reached?", "host waits for 2"));
  EXPECT_TRUE(copy->host().is_contiguous());
  EXPECT_TRUE(at::equal(copy->host(), value.t()));
  EXPECT_NE(copy->host().const_data_ptr(), value.const_data_ptr());
}

}  // namespace
}  // namespace hydrophone
