#include "server/rpc/grpc_server.h"

#include <grpc/compression.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/address.h"
#include "server/core/errors.h"
#include "server/rpc/grpc_threads.h"
#include "server/rpc/server_credentials.h"

namespace hydrophone {
namespace {

// How long Drain waits for the statuses of calls that it ends to reach their callers.
constexpr absl::Duration kFarewell = absl::Seconds(1);

// How long gRPC sends, once nothing is read any more, what it has still to send.
constexpr absl::Duration kLastAnswers = absl::Milliseconds(250);

// Bytes read from a connection at a time, at most.
constexpr int kReadBytes = 64 << 10;

// gRPC refuses messages above this size without details; below it, the guard refuses above max_request_bytes, with
// details.
int TransportLimit(const Limits& limits) {
  return static_cast<int>(std::min<uint64_t>(2 * limits.max_request_bytes, uint64_t{1} << 30));
}

void LimitTransport(const Limits& limits, absl::Duration max_age, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(TransportLimit(limits));
  builder->SetMaxSendMessageSize(-1);  // every message has its own limit
  // gRPC would unpack a compressed request without a bound on its size, so it comes as it is, and is unpacked here
  // (wire/packed_request.h). A stream of deflate alone does not say its size. Answers are not compressed: activations
  // hardly get smaller.
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 256);  // on each connection
  // What is read from a connection at a time is parsed to its end before any call in it begins: in the 4 MiB that gRPC
  // would read are 100,000 calls, each with its reset, which take 25 KB each.
  builder->AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, kReadBytes);
  // Finds dead peers, so that their streams give their memory back, and lets clients find a dead server likewise.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  // Clients may do so too, every ten seconds, whether they have a call open or not. A little less is asked of them,
  // since their clocks and the network are not exact.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 9'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  if (max_age < absl::InfiniteDuration()) {
    builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, static_cast<int>(absl::ToInt64Milliseconds(max_age)));
  }
}

// What sees every call as it begins.
void AddInterceptors(CallCensus* census, grpc::ServerBuilder* builder) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(TellBeginnings(census));
  builder->experimental().SetInterceptorCreators(std::move(interceptors));
}

}  // namespace

GrpcServer::GrpcServer(const GrpcServerParts& parts, const GrpcServerOptions& options)
    : parts_(parts),
      credentials_(MakeServerCredentials(parts.certificates)),
      access_(parts.access == nullptr ? &open_access_ : parts.access),
      calls_(options.max_open_calls, parts.metrics, parts.call_log, parts.clock),
      workers_(options.worker_threads, static_cast<size_t>(options.max_waiting_calls)),
      verifiers_(options.verifier_threads, static_cast<size_t>(options.max_waiting_verifies)),
      context_{
          .request = {parts.engine->model(), parts.engine->compute(), *parts.tokenizer, *parts.limits, options.version},
          .versions = {options.version, grpc::Version()},
          .engine = parts.engine,
          .scheduler = parts.scheduler,
          .clock = parts.clock,
          .access = access_,
          .calls = &calls_,
          .streams = &streams_,
          .workers = &workers_,
          .verifiers = &verifiers_},
      service_(context_),
      unknown_methods_(access_, &calls_),
      reflection_(options.reflection == ReflectionMode::kOpen ? &open_access_ : access_) {}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerParts& parts,
                                                              const GrpcServerOptions& options) {
  if (absl::Status threads = CheckThreads(); !threads.ok()) return threads;
  auto started = absl::WrapUnique(new GrpcServer(parts, options));
  absl::StatusOr<Address> address = ParseAddress(options.listen);
  if (!address.ok()) return address.status();
  auto door = FrontDoor::Open(*address, options.max_connections, &RealClock(), options.on_cut);
  if (!door.ok()) return door.status();
  started->door_ = *std::move(door);
  started->port_ = started->door_->port();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  LimitTransport(*parts.limits, options.max_connection_age, &builder);
  started->door_->AddTo(&builder, started->credentials_);
  AddInterceptors(started->door_->census(), &builder);
  builder.RegisterService(&started->service_);
  if (options.reflection != ReflectionMode::kOff) builder.RegisterService(&started->reflection_);
  builder.RegisterCallbackGenericService(&started->unknown_methods_);
  started->server_ = builder.BuildAndStart();
  if (started->server_ == nullptr) return absl::InternalError("gRPC cannot start: its own log says why");
  if (absl::Status threads = StartExecutorThreads(); !threads.ok()) return threads;
  started->SetServing(false);
  parts.scheduler->SetStarvedListener([streams = &started->streams_, clock = parts.clock, stall = options.stall] {
    streams->EndStalled(clock->Now(), stall);
  });
  started->door_->Start(
      started->server_.get(), [calls = &started->calls_] { return calls->open(); },
      parts.limits->response_budget_bytes);
  return started;
}

GrpcServer::~GrpcServer() {
  if (server_ != nullptr && !drained_) Drain(absl::ZeroDuration(), absl::ZeroDuration());
  parts_.scheduler->SetStarvedListener(nullptr);
}

void GrpcServer::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  health->SetServingStatus(serving);  // all that are known so far
  health->SetServingStatus("", serving);
  health->SetServingStatus(v1::ActivationService::service_full_name(), serving);
}

void GrpcServer::Drain(absl::Duration lag, absl::Duration patience) {
  drained_ = true;
  SetServing(false);
  calls_.RefuseFrom(parts_.clock->Now() + lag);
  const absl::Time deadline = parts_.clock->Now() + std::max(patience - kFarewell, absl::ZeroDuration());
  calls_.AwaitNone(deadline);  // a Verify under way still submits jobs to the scheduler
  calls_.CutOff();
  parts_.scheduler->Drain(parts_.clock->Now());  // the jobs that are left end with UNAVAILABLE
  streams_.EndAll(Draining(absl::Seconds(1)));   // and so do streams whose jobs are done, and that are still being sent
  calls_.AwaitNone(parts_.clock->Now() + kFarewell);
  door_->Close();
  door_->EndConnections(kLastAnswers);
  server_->Shutdown(std::chrono::system_clock::now());  // cuts what is left
  server_->Wait();
}

}  // namespace hydrophone
