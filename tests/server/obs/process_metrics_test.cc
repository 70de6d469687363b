#include "server/obs/process_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace hydrophone {
namespace {

using ::testing::Contains;
using ::testing::DoubleEq;
using ::testing::Pair;

// A /proc with one process.
class ProcessMetricsTest : public testing::Test {
 protected:
  ProcessMetricsTest() {
    std::filesystem::remove_all(proc_);
    std::filesystem::create_directories(proc_ / "self/fd");
    for (const char* descriptor : {"0", "1", "2"}) Write(std::string("self/fd/") + descriptor, "");
    Write("stat", "cpu  1 2 3\nbtime 1700000000\nprocesses 9\n");
    Write("self/limits",
          "Limit                     Soft Limit           Hard Limit           Units     \n"
          "Max open files            1024                 1048576              files     \n");
    // The program's name may hold spaces and brackets.
    Write("self/stat",
          "7 (a) b (c) S 1 7 7 0 -1 4 0 0 0 0 300 200 0 0 20 0 12 0 5000 123456 33 18446744073709551615\n");
  }
  ~ProcessMetricsTest() override { std::filesystem::remove_all(proc_); }

  void Write(const std::string& name, const std::string& text) { std::ofstream(proc_ / name) << text; }

  std::map<std::string, double> Collect() const {
    std::map<std::string, double> values;
    for (const prometheus::MetricFamily& family : ProcessMetrics(proc_).Collect()) {
      const prometheus::ClientMetric& metric = family.metric.at(0);
      const bool counter = family.type == prometheus::MetricType::Counter;
      values[family.name] = counter ? metric.counter.value : metric.gauge.value;
    }
    return values;
  }

  const std::filesystem::path proc_ =
      std::filesystem::path(testing::TempDir()) / ("process_metrics_test." + std::to_string(getpid()));
};

TEST_F(ProcessMetricsTest, NumbersAreInBaseUnits) {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const std::map<std::string, double> values = Collect();
  EXPECT_THAT(values, Contains(Pair("process_cpu_seconds_total", DoubleEq(500 / ticks))));
  EXPECT_THAT(values, Contains(Pair("process_threads", 12)));
  EXPECT_THAT(values, Contains(Pair("process_start_time_seconds", DoubleEq(1700000000 + 5000 / ticks))));
  EXPECT_THAT(values, Contains(Pair("process_virtual_memory_bytes", 123456)));
  EXPECT_THAT(values,
              Contains(Pair("process_resident_memory_bytes", 33.0 * static_cast<double>(sysconf(_SC_PAGESIZE)))));
  EXPECT_THAT(values, Contains(Pair("process_open_fds", 3)));
  EXPECT_THAT(values, Contains(Pair("process_max_fds", 1024)));
}

TEST_F(ProcessMetricsTest, AnUnlimitedNumberOfDescriptorsIsInfinite) {
  Write("self/limits", "Max open files            unlimited            unlimited            files     \n");
  EXPECT_THAT(Collect(), Contains(Pair("process_max_fds", std::numeric_limits<double>::infinity())));
}

TEST_F(ProcessMetricsTest, WhatCannotBeReadIsLeftOut) {
  Write("self/stat", "7 (cut");
  Write("self/limits", "");
  EXPECT_THAT(Collect(), testing::ElementsAre(Pair("process_open_fds", 3)));
  std::filesystem::remove_all(proc_);
  EXPECT_TRUE(Collect().empty());
}

TEST(ProcessMetricsOfThisProcessTest, EveryNumberIsThere) { EXPECT_EQ(ProcessMetrics().Collect().size(), 7u); }

}  // namespace
}  // namespace hydrophone
