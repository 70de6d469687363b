#include "server/model/device/device.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/model/engine/load_engine.h"

namespace hydrophone {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

TEST(DeviceTest, ReadsTheCpuAndGpusByNumber) {
  EXPECT_EQ(*ParseDevice("cpu"), c10::Device(c10::kCPU));
  EXPECT_EQ(*ParseDevice("cuda"), c10::Device(c10::kCUDA, 0));
  EXPECT_EQ(*ParseDevice("cuda:0"), c10::Device(c10::kCUDA, 0));
  EXPECT_EQ(*ParseDevice("cuda:7"), c10::Device(c10::kCUDA, 7));
}

TEST(DeviceTest, RefusesWhatIsNoDeviceOfOurs) {
  for (const char* text : {"", "CPU", "tpu", "cpu:0", "cuda:", "cuda:-1", "cuda:+1", "cuda: 1", "cuda:1x", "cuda:999",
                           "cuda1", "cuda:99999999999999999999", "mps"}) {
    const auto device = ParseDevice(text);
    EXPECT_EQ(device.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(device.status().message()),
                HasSubstr(std::string("--device: got \"") + text + "\", expected cpu"));
  }
}

// A machine with GPUs has none with this number; on others something is missing.
TEST(DeviceTest, SaysInOneMessageWhatIsMissing) {
  testing::internal::CaptureStderr();
  const auto opened = OpenCudaDevice({c10::kCUDA, 100});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(opened.status().message()),
      AnyOf(HasSubstr("pip install torch=="), HasSubstr("no GPU can be used here"), HasSubstr("this process sees")));
}

// A device that cannot be used is refused before the checkpoint is read.
TEST(DeviceTest, IsTheFirstThingThatLoadingLooksAt) {
  EngineOptions options;
  options.device = "tpu";
  const auto engine = LoadEngine("/no/such/directory", options);
  EXPECT_THAT(std::string(engine.status().message()), HasSubstr("--device: got \"tpu\""));
}

}  // namespace
}  // namespace hydrophone
