// hydrophone-server: reads the flags, makes the objects, serves, and drains.
#include <malloc.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/base/address.h"
#include "server/base/memory_reserve.h"
#include "server/check_report.h"
#include "server/checkpoint/model_directory.h"
#include "server/core/errors.h"
#include "server/doors.h"
#include "server/flags.h"
#include "server/load_model.h"
#include "server/obs/call_lines.h"
#include "server/obs/log.h"
#include "server/obs/metrics_endpoint.h"
#include "server/obs/process_metrics.h"
#include "server/obs/prometheus_metrics.h"
#include "server/rpc/collect_job.h"
#include "server/rpc/grpc_server.h"
#include "server/rpc/service_methods.h"
#include "server/rpc/status.h"
#include "server/sched/clock.h"
#include "server/sched/scheduler.h"
#include "server/stop_signals.h"
#include "server/tokenizer/load.h"

namespace hydrophone {
namespace {

constexpr char kVersion[] = HYDROPHONE_VERSION;
constexpr int kStartFailed = 1;

// The C library keeps freed blocks of up to kLargestKeptBlock bytes for the next use, and gives memory back to the
// system when more than kMostIdleBytes lie idle at an arena's end. By default it gives large blocks back at once, and
// the page faults of their next use cost more time than sending them. What lies idle at the end of any arena but the
// first is not even given back when the server asks for it (malloc_trim), up to 64 MiB of each: so there are few.
constexpr int kLargestKeptBlock = 64 << 20;
constexpr int kMostIdleBytes = 256 << 20;
constexpr int kMostArenas = 2;

void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, kLargestKeptBlock);
  mallopt(M_TRIM_THRESHOLD, kMostIdleBytes);
  mallopt(M_ARENA_MAX, kMostArenas);
}

std::string Seconds(absl::Duration elapsed) { return absl::StrFormat("%.2f", absl::ToDoubleSeconds(elapsed)); }

// The default model's directory: beside the installed program, else in the source tree from which it was built.
std::string DefaultModel() {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path installed = program.parent_path().parent_path() / HYDROPHONE_INSTALLED_MODEL;
  return std::filesystem::is_directory(installed, error) ? installed.string() : HYDROPHONE_SOURCE_MODEL;
}

// Computes one token on the way that requests take. When it returns OK, requests will be answered.
absl::Status WarmUp(Scheduler* scheduler) {
  Plan plan;
  plan.runs.push_back({0, {0}});
  plan.first_token = {0, 1};
  auto job = std::make_shared<CollectJob>(std::move(plan), Caller{.name = "the server"}, absl::InfiniteFuture(),
                                          [] { return false; });
  if (absl::Status admitted = scheduler->Submit(job); !admitted.ok()) return admitted;
  return job->Await().status();
}

std::vector<MethodLabels> Methods() {
  std::vector<MethodLabels> labels;
  for (const ServiceMethod& method : ServiceMethods()) {
    labels.push_back({method.name, method.streams_answer ? "server_stream" : "unary"});
  }
  return labels;
}

// `listen` ("127.0.0.1:0") with the port that was taken instead of 0.
std::string WithPort(const std::string& listen, int port) {
  Address address = *ParseAddress(listen);  // ParseFlags has refused any other
  address.port = static_cast<uint16_t>(port);
  return address.text();
}

ReflectionMode ReflectionModeOf(const Flags& flags) {
  if (flags.reflection == "off") return ReflectionMode::kOff;
  return flags.reflection == "operate" ? ReflectionMode::kOperate : ReflectionMode::kOpen;
}

// Serves /metrics where the flags say; null where they say nowhere.
absl::StatusOr<std::unique_ptr<MetricsEndpoint>> StartMetrics(const Flags& flags, const PrometheusMetrics& metrics) {
  if (flags.metrics_listen.empty()) return nullptr;
  auto endpoint =
      MetricsEndpoint::Start(flags.metrics_listen, {metrics.registry(), std::make_shared<ProcessMetrics>()});
  if (!endpoint.ok()) return endpoint;
  LogInfo(absl::StrCat("metrics on http://", WithPort(flags.metrics_listen, (*endpoint)->port()), "/metrics"));
  return endpoint;
}

GrpcServerOptions ServerOptions(const Flags& flags) {
  GrpcServerOptions options;
  options.listen = flags.listen;
  options.version = kVersion;
  options.worker_threads = flags.worker_threads;
  options.max_connections = flags.max_connections;
  options.max_open_calls = flags.max_open_calls;
  options.on_cut = [](const std::string& peer, absl::string_view reason) {
    LogWarning("cut a connection", {{"peer", peer}, {"reason", std::string(reason)}});
  };
  options.reflection = ReflectionModeOf(flags);
  options.stall = absl::Seconds(flags.stall_seconds);
  if (flags.max_connection_age_seconds > 0) {
    options.max_connection_age = absl::Seconds(flags.max_connection_age_seconds);
  }
  return options;
}

void DrainAfter(const std::string& signal, const Flags& flags, GrpcServer* server, CallLines* call_lines) {
  const absl::Duration lag = absl::Seconds(flags.drain_lag_seconds), drain = absl::Seconds(flags.drain_seconds);
  LogInfo("draining", {{"signal", signal}, {"at_most_seconds", Seconds(lag + drain)}});
  const absl::Time begin = absl::Now();
  server->Drain(lag, drain);
  call_lines->Flush();
  LogInfo("stopped", {{"seconds", Seconds(absl::Now() - begin)}});
}

// Loads, serves until a signal, drains, and ends the program; by --check, loads and reports.
absl::Status Serve(Flags flags, StopSignals& stop) {
  const absl::Time start = absl::Now();
  const absl::StatusOr<Doors> doors = MakeDoors(flags);
  if (!doors.ok()) return doors.status();
  const absl::StatusOr<ModelDirectory> directory = FindModelDirectory(flags.model);
  if (!directory.ok()) return directory.status();
  if (absl::Status fits = FitIntoMemory(*directory, &flags); !fits.ok()) return fits;
  const auto tokenizer = LoadTokenizer(directory->path);
  if (!tokenizer.ok()) return tokenizer.status();
  PrometheusMetrics metrics(ServiceName(), Methods(), CodeNames(), flags.limits);
  const auto engine = LoadModel(flags, *directory, **tokenizer, &metrics);
  if (!engine.ok()) return engine.status();
  metrics.SetInfo(kVersion, (*engine)->model(), (*engine)->compute());
  Scheduler scheduler(engine->get(), flags.limits, &RealClock(), &metrics);
  if (flags.check) {
    if (absl::Status warm = WarmUp(&scheduler); !warm.ok()) return warm;
    std::fputs(CheckReport(flags, (*engine)->model(), doors->access.get(), doors->certificates.get()).c_str(), stdout);
    return absl::OkStatus();
  }
  const auto endpoint = StartMetrics(flags, metrics);
  if (!endpoint.ok()) return endpoint.status();
  if (absl::Status warm = WarmUp(&scheduler); !warm.ok()) return warm;
  CallLines call_lines(&metrics);
  stop.StartServing();  // before the first call can come: its line in the log waits for the drain
  const auto server = GrpcServer::Start({engine->get(), tokenizer->get(), &scheduler, &metrics, &RealClock(),
                                         &flags.limits, &call_lines, doors->access.get(), doors->certificates.get()},
                                        ServerOptions(flags));
  if (!server.ok()) return server.status();
  LogInfo(absl::StrCat("listening on ", WithPort(flags.listen, (*server)->port())));
  (*server)->SetServing(true);
  LogInfo("serving", {{"seconds_since_start", Seconds(absl::Now() - start)}});
  DrainAfter(stop.Await(), flags, server->get(), &call_lines);
  // All was answered and written. To take gRPC and the metrics' server apart would take seconds more, and longer where
  // a client does not read.
  std::_Exit(0);
}

int Main(int argc, char** argv) {
  int exit_code = 0;
  std::optional<Flags> flags =
      ParseFlags(argc, argv, DefaultModel(), absl::StrCat("hydrophone-server ", kVersion), &exit_code);
  if (!flags.has_value()) return exit_code;
  if (!SetLogLevel(flags->log_level).ok() || !SetLogFormat(flags->log_format).ok()) return kStartFailed;
  for (const std::string& warning : flags->warnings) LogWarning(warning);
  auto& stop = *new StopSignals();  // never destroyed
  const bool check = flags->check;
  if (absl::Status served = Serve(*std::move(flags), stop); !served.ok()) {
    LogError(check ? "would not start" : "cannot start", {{"error", std::string(served.message())}});
    return kStartFailed;
  }
  return 0;
}

}  // namespace
}  // namespace hydrophone

int main(int argc, char** argv) {
  // Debian's Abseil searches for deadlocks of its own mutexes whenever a thread takes one, which costs a tenth of the
  // time of a storm of calls.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  hydrophone::KeepFreedMemory();
  hydrophone::KeepMemoryReserve();
  hydrophone::OutOfMemory().IgnoreError();  // made while there is memory
  signal(SIGPIPE, SIG_IGN);  // writing to a peer that left is an error of that write, not the end of the program
  try {
    return hydrophone::Main(argc, argv);
  } catch (const std::bad_alloc&) {
    hydrophone::LogError("cannot start", {{"error", "the system refused memory"}});
  } catch (const std::system_error& error) {  // std::thread's
    hydrophone::LogError("cannot start", {{"error", absl::StrCat("the system refused a thread: ", error.what())}});
  }
  return hydrophone::kStartFailed;
}
