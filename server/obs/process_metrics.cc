#include "server/obs/process_metrics.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace hydrophone {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// The whole file; empty when it cannot be read. Files of /proc do not tell their sizes.
std::string Text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The fields of /proc/self/stat that are counted here, by their numbers in proc(5).
enum StatField : size_t {
  kUserTicks = 14,
  kSystemTicks = 15,
  kThreads = 20,
  kStartTicks = 22,
  kVirtual = 23,
  kPages = 24
};

// stat's fields from the third on; the second, the program's name in brackets, may hold anything.
std::vector<std::string> StatFields(const std::string& stat) {
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  return absl::StrSplit(absl::string_view(stat).substr(name_end + 1), absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

std::optional<double> Number(absl::string_view text) {
  double number = 0;
  if (!absl::SimpleAtod(text, &number)) return std::nullopt;
  return number;
}

std::optional<double> StatNumber(const std::vector<std::string>& fields, StatField field) {
  const size_t index = field - 3;
  if (index >= fields.size()) return std::nullopt;
  return Number(fields[index]);
}

// The number in the first line that begins with `name`.
std::optional<double> NumberAfter(const std::string& text, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::StartsWith(line, name)) continue;
    const std::vector<std::string> words = absl::StrSplit(line.substr(name.size()), ' ', absl::SkipEmpty());
    if (words.empty()) return std::nullopt;
    if (words[0] == "unlimited") return std::numeric_limits<double>::infinity();
    return Number(words[0]);
  }
  return std::nullopt;
}

std::optional<double> CountEntries(const std::string& directory) {
  std::error_code error;
  double entries = 0;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    ++entries;
  }
  if (error) return std::nullopt;
  return entries;
}

void Add(const char* name, const char* help, MetricType type, std::optional<double> value,
         std::vector<MetricFamily>* families) {
  if (!value.has_value()) return;
  prometheus::ClientMetric metric;
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = *value;
  families->push_back({name, help, type, {std::move(metric)}});
}

std::optional<double> Scaled(std::optional<double> number, double factor) {
  if (!number.has_value()) return std::nullopt;
  return *number * factor;
}

std::optional<double> Sum(std::optional<double> a, std::optional<double> b) {
  if (!a.has_value() || !b.has_value()) return std::nullopt;
  return *a + *b;
}

}  // namespace

ProcessMetrics::ProcessMetrics(std::string proc) : proc_(std::move(proc)) {}

std::vector<MetricFamily> ProcessMetrics::Collect() const {
  const double seconds_per_tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  const std::vector<std::string> stat = StatFields(Text(proc_ + "/self/stat"));
  const std::string limits = Text(proc_ + "/self/limits");
  const std::optional<double> cpu_ticks = Sum(StatNumber(stat, kUserTicks), StatNumber(stat, kSystemTicks));
  const std::optional<double> started = Scaled(StatNumber(stat, kStartTicks), seconds_per_tick);

  std::vector<MetricFamily> families;
  Add("process_cpu_seconds_total", "Time on CPUs, user and system.", MetricType::Counter,
      Scaled(cpu_ticks, seconds_per_tick), &families);
  Add("process_resident_memory_bytes", "Memory that is resident.", MetricType::Gauge,
      Scaled(StatNumber(stat, kPages), page_bytes), &families);
  Add("process_virtual_memory_bytes", "Address space in use.", MetricType::Gauge, StatNumber(stat, kVirtual),
      &families);
  Add("process_threads", "Threads.", MetricType::Gauge, StatNumber(stat, kThreads), &families);
  Add("process_open_fds", "File descriptors that are open.", MetricType::Gauge, CountEntries(proc_ + "/self/fd"),
      &families);
  Add("process_max_fds", "File descriptors that may be open.", MetricType::Gauge, NumberAfter(limits, "Max open files"),
      &families);
  Add("process_start_time_seconds", "When the process started, since 1970.", MetricType::Gauge,
      Sum(NumberAfter(Text(proc_ + "/stat"), "btime"), started), &families);
  return families;
}

}  // namespace hydrophone
