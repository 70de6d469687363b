// hydrophone-server: reads the flags, makes the objects, serves, and drains.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/access/access.h"
#include "server/access/certificates.h"
#include "server/base/address.h"
#include "server/base/memory_reserve.h"
#include "server/check_report.h"
#include "server/checkpoint/model_directory.h"
#include "server/checkpoint/weight_files.h"
#include "server/container/memory_fit.h"
#include "server/container/memory_limit.h"
#include "server/core/errors.h"
#include "server/flags.h"
#include "server/model/engine/load_engine.h"
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
#include "server/tokenizer/load.h"

namespace hydrophone {
namespace {

constexpr char kVersion[] = HYDROPHONE_VERSION;
constexpr int kStartFailed = 1;

// The C library keeps freed blocks of up to kLargestKeptBlock bytes for the next use, and gives memory back to the
// system when more than kMostIdleBytes lie idle at an arena's end. By default it gives large blocks back at once, and
// the page faults of their next use cost more time than sending them.
constexpr int kLargestKeptBlock = 64 << 20;
constexpr int kMostIdleBytes = 256 << 20;

void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, kLargestKeptBlock);
  mallopt(M_TRIM_THRESHOLD, kMostIdleBytes);
}

std::string Seconds(absl::Duration elapsed) { return absl::StrFormat("%.2f", absl::ToDoubleSeconds(elapsed)); }

// The default model's directory: beside the installed program, else in the source tree from which it was built.
std::string DefaultModel() {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path installed = program.parent_path().parent_path() / HYDROPHONE_INSTALLED_MODEL;
  return std::filesystem::is_directory(installed, error) ? installed.string() : HYDROPHONE_SOURCE_MODEL;
}

absl::StatusOr<std::unique_ptr<Engine>> LoadModel(const Flags& flags, const ModelDirectory& directory,
                                                  const Tokenizer& tokenizer, Metrics* metrics) {
  absl::Time start = absl::Now();
  LogInfo("loading the model", {{"model", directory.path}, {"device", flags.device}});
  const EngineOptions options{.threads = flags.threads,
                              .awake = std::chrono::microseconds(flags.awake_microseconds),
                              .copy_weights = flags.copy_weights,
                              .model_name = flags.model_name.empty() ? directory.name : flags.model_name,
                              .tokenizer_sha256 = std::string(tokenizer.sha256()),
                              .tokenizer_notes = {tokenizer.notes().begin(), tokenizer.notes().end()},
                              .share_prefixes = flags.share_prefixes,
                              .device = flags.device,
                              .metrics = metrics};
  auto engine = LoadEngine(directory.path, options);
  if (!engine.ok()) return engine;
  const ModelInfo& model = (*engine)->model();
  const ComputeInfo& compute = (*engine)->compute();
  LogInfo("loaded the model", {{"seconds", Seconds(absl::Now() - start)},
                               {"name", model.name},
                               {"blocks", absl::StrCat(model.n_layer)},
                               {"width", absl::StrCat(model.n_embd)},
                               {"parameters", absl::StrCat(model.parameters)},
                               {"weights_sha256", model.weights_sha256},
                               {"device", compute.device},
                               {"threads", absl::StrCat(compute.threads)},
                               {"numerics", compute.numerics},
                               {"instruction_set", compute.instruction_set}});
  for (const std::string& note : model.loading_notes) LogInfo(note);
  if (!compute.batch_independent) {
    LogWarning(
        "a row's bits may depend on its neighbours on this device: no way to multiply was found that prevents it");
  }
  return engine;
}

// Fits the limits on memory into what the container, or else the machine, has of it. What weight files that cannot be
// opened lack is for the loading to say; on a GPU, those that are mapped need no memory of the host's for long.
absl::Status FitIntoMemory(const ModelDirectory& directory, Flags* flags) {
  flags->limits.slice_bytes = flags->limits.response_budget_bytes / kSlicesInBudget;
  const std::optional<MemoryLimit> memory = FindMemoryLimit();
  const absl::StatusOr<WeightFiles> weights = OpenWeightFiles(directory.path);
  if (!memory.has_value() || !weights.ok()) return absl::OkStatus();
  const bool on_host = flags->device == "cpu" || flags->copy_weights;
  const uint64_t weight_bytes = on_host ? BytesInMemory(*weights, flags->copy_weights) : 0;
  if (absl::Status fits = FitMemory(*memory, weight_bytes, flags->given, &flags->limits); !fits.ok()) return fits;
  LogInfo("memory", {{"bytes", absl::StrCat(memory->bytes)},
                     {"allowed_by", memory->file},
                     {"weights_bytes", absl::StrCat(weight_bytes)},
                     {"response_budget_bytes", absl::StrCat(flags->limits.response_budget_bytes)},
                     {"other_bytes", absl::StrCat(kOtherMemoryBytes)}});
  return absl::OkStatus();
}

// Whether the tokenizer may be the model's: a vocabulary with more tokens would give ids without an embedding. The
// model may have more, as an embedding that was padded to a round size has; and tokens that were added without an
// embedding are refused where a text holds one.
absl::Status CheckVocabulary(const ModelInfo& model, const Tokenizer& tokenizer) {
  const auto ids = static_cast<uint32_t>(model.vocab_size);
  if (IsMissing(tokenizer)) {
    LogWarning("the model's directory has no tokenizer: token ids are served, text is refused");
    return absl::OkStatus();
  }
  if (ids < tokenizer.base_vocab_size()) {
    return absl::InvalidArgumentError(absl::StrCat("the tokenizer has ", tokenizer.base_vocab_size(),
                                                   " tokens, but config.json's vocab_size is ", model.vocab_size,
                                                   ": they belong to different models"));
  }
  if (ids < tokenizer.vocab_size()) {
    LogWarning(absl::StrCat("the tokenizer's added tokens from ", ids, " to ", tokenizer.vocab_size() - 1,
                            " have no embedding: a text with one is refused"));
  }
  if (ids > tokenizer.vocab_size()) {
    LogInfo(absl::StrCat("ids from ", tokenizer.vocab_size(), " to ", ids - 1,
                         " have an embedding and no spelling: they are served as ids"));
  }
  return absl::OkStatus();
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

// Logs what became of `file`, which has changed.
auto LogsReload(const std::string& file) {
  return [file](const absl::Status& status) {
    if (status.ok()) return LogInfo("read again", {{"file", file}});
    LogWarning("what was read before stays in force", {{"file", file}, {"error", std::string(status.message())}});
  };
}

// What decides on calls and connections; null certificates for plaintext.
struct Doors {
  std::unique_ptr<Access> access;
  std::unique_ptr<Certificates> certificates;
};

absl::StatusOr<Doors> MakeDoors(const Flags& flags) {
  Doors doors;
  if (!flags.token_digests.empty()) {
    auto access = Access::Load(flags.token_digests, &RealClock(), LogsReload(flags.token_digests));
    if (!access.ok()) return access.status();
    doors.access = *std::move(access);
  }
  if (!flags.tls.certificate.empty()) {
    auto certificates = Certificates::Load(flags.tls, &RealClock(), LogsReload(flags.tls.certificate));
    if (!certificates.ok()) return certificates.status();
    doors.certificates = *std::move(certificates);
  }
  return doors;
}

ReflectionMode ReflectionModeOf(const Flags& flags) {
  if (flags.reflection == "off") return ReflectionMode::kOff;
  return flags.reflection == "operate" ? ReflectionMode::kOperate : ReflectionMode::kOpen;
}

// SIGTERM and SIGINT, blocked in every thread but one that waits for them.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::thread([this] { Wait(); }).detach();  // ends with the program, as this object does
  }

  // From now on, a signal is for Await; before, it ends the program.
  void StartServing() { serving_ = true; }

  // Waits for the first signal and returns its name. From then on, another signal ends the program at once.
  std::string Await() {
    std::string name = first_.get_future().get();
    pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
    return name;
  }

 private:
  void Wait() {
    int signal = 0;
    sigwait(&signals_, &signal);
    const std::string name = signal == SIGTERM ? "SIGTERM" : "SIGINT";
    if (serving_) return first_.set_value(name);
    LogInfo("stopped before serving", {{"signal", name}});
    std::_Exit(0);  // nothing is open, and what is loading cannot be told to stop
  }

  sigset_t signals_;
  std::atomic<bool> serving_{false};
  std::promise<std::string> first_;
};

absl::Status Serve(Flags flags, StopSignals& stop) {
  absl::Time start = absl::Now();
  const absl::StatusOr<Doors> doors = MakeDoors(flags);
  if (!doors.ok()) return doors.status();
  const absl::StatusOr<ModelDirectory> directory = FindModelDirectory(flags.model);
  if (!directory.ok()) return directory.status();
  if (absl::Status fits = FitIntoMemory(*directory, &flags); !fits.ok()) return fits;
  auto tokenizer = LoadTokenizer(directory->path);
  if (!tokenizer.ok()) return tokenizer.status();
  PrometheusMetrics metrics(ServiceName(), Methods(), CodeNames(), flags.limits);
  auto engine = LoadModel(flags, *directory, **tokenizer, &metrics);
  if (!engine.ok()) return engine.status();
  if (absl::Status same = CheckVocabulary((*engine)->model(), **tokenizer); !same.ok()) return same;

  metrics.SetInfo(kVersion, (*engine)->model(), (*engine)->compute());
  Scheduler scheduler(engine->get(), flags.limits, &RealClock(), &metrics);
  if (flags.check) {
    if (absl::Status warm = WarmUp(&scheduler); !warm.ok()) return warm;
    std::fputs(CheckReport(flags, (*engine)->model(), doors->access.get(), doors->certificates.get()).c_str(), stdout);
    return absl::OkStatus();
  }
  std::unique_ptr<MetricsEndpoint> endpoint;
  if (!flags.metrics_listen.empty()) {
    auto started =
        MetricsEndpoint::Start(flags.metrics_listen, {metrics.registry(), std::make_shared<ProcessMetrics>()});
    if (!started.ok()) return started.status();
    endpoint = *std::move(started);
    LogInfo(absl::StrCat("metrics on http://", WithPort(flags.metrics_listen, endpoint->port()), "/metrics"));
  }

  CallLines call_lines(&metrics);
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
  auto server = GrpcServer::Start({engine->get(), tokenizer->get(), &scheduler, &metrics, &RealClock(), &flags.limits,
                                   &call_lines, doors->access.get(), doors->certificates.get()},
                                  options);
  if (!server.ok()) return server.status();
  LogInfo(absl::StrCat("listening on ", WithPort(flags.listen, (*server)->port())));
  if (absl::Status warm = WarmUp(&scheduler); !warm.ok()) return warm;
  stop.StartServing();
  (*server)->SetServing(true);
  LogInfo("serving", {{"seconds_since_start", Seconds(absl::Now() - start)}});

  std::string signal = stop.Await();
  LogInfo("draining", {{"signal", signal},
                       {"at_most_seconds", Seconds(absl::Seconds(flags.drain_lag_seconds + flags.drain_seconds))}});
  absl::Time draining = absl::Now();
  (*server)->Drain(absl::Seconds(flags.drain_lag_seconds), absl::Seconds(flags.drain_seconds));
  LogInfo("stopped", {{"seconds", Seconds(absl::Now() - draining)}});
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  int exit_code = 0;
  std::optional<Flags> flags =
      ParseFlags(argc, argv, DefaultModel(), absl::StrCat("hydrophone-server ", kVersion), &exit_code);
  if (!flags.has_value()) return exit_code;
  if (!SetLogLevel(flags->log_level).ok() || !SetLogFormat(flags->log_format).ok()) return kStartFailed;
  for (const std::string& warning : flags->warnings) LogWarning(warning);
  auto& stop = *new StopSignals();  // its thread outlives every scope
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
  return hydrophone::Main(argc, argv);
}
