// The service on a port, with health and reflection beside it.
#ifndef HYDROPHONE_SERVER_RPC_GRPC_SERVER_H_
#define HYDROPHONE_SERVER_RPC_GRPC_SERVER_H_

#include <grpcpp/server.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/access/access.h"
#include "server/access/certificates.h"
#include "server/core/call_log.h"
#include "server/core/engine.h"
#include "server/core/limits.h"
#include "server/core/metrics.h"
#include "server/core/tokenizer.h"
#include "server/net/front_door.h"
#include "server/rpc/activation_service.h"
#include "server/rpc/open_calls.h"
#include "server/rpc/reflection.h"
#include "server/rpc/service_context.h"
#include "server/rpc/unknown_methods.h"
#include "server/rpc/worker_pool.h"
#include "server/sched/clock.h"
#include "server/sched/scheduler.h"

namespace hydrophone {

// What the service works with. All of it outlives the server.
struct GrpcServerParts {
  const Engine* engine = nullptr;
  const Tokenizer* tokenizer = nullptr;
  Scheduler* scheduler = nullptr;
  Metrics* metrics = nullptr;
  const Clock* clock = nullptr;
  const Limits* limits = nullptr;
  CallLog* call_log = nullptr;
  Access* access = nullptr;              // null: every caller may do everything
  Certificates* certificates = nullptr;  // null: plaintext
};

// For which callers the services are described.
enum class ReflectionMode : uint8_t {
  kOff,      // for none: the service is not there
  kOperate,  // for those with the role
  kOpen,     // for all, without a token
};

struct GrpcServerOptions {
  std::string listen = "127.0.0.1:50051";  // port 0: a free one
  int max_connections = 16384;             // open at once; more are closed as they come
  std::string version;                     // Hydrophone's own
  ReflectionMode reflection = ReflectionMode::kOpen;
  int worker_threads = 2;        // threads that read requests, tokenize and encode
  int max_open_calls = 1024;     // calls open at once; more are refused with RESOURCE_EXHAUSTED
  int max_waiting_calls = 256;   // calls that wait for a worker
  int verifier_threads = 1;      // Verifies at once: each may hold max_response_bytes
  int max_waiting_verifies = 8;  // Verifies that wait for a verifier

  // A stream of which the caller takes less than a message in this time is ended, if requests wait for its memory.
  absl::Duration stall = absl::Seconds(10);

  // A connection is asked to close when it is this old, so that clients find new servers; its calls go on.
  absl::Duration max_connection_age = absl::InfiniteDuration();

  // Is told of each connection that is cut because it harms the others.
  Connections::OnCut on_cut = [](const std::string&, absl::string_view) {};
};

// Serves from Start to its destruction. Health says NOT_SERVING until SetServing.
class GrpcServer {
 public:
  // UNAVAILABLE, naming the address, when it cannot be had.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcServerParts& parts,
                                                           const GrpcServerOptions& options);
  // Drains with no patience.
  ~GrpcServer();

  int port() const { return port_; }

  // What grpc.health.v1 says, for the server as a whole ("") and for hydrophone.v1.ActivationService.
  void SetServing(bool serving);

  // Says NOT_SERVING and goes on for `lag`, while load balancers take notice. Then refuses new calls with UNAVAILABLE
  // (DRAINING), lets open ones finish for `patience`, ends the rest with the same status, and cuts those that do not
  // take it in kFarewell, which is a part of `patience`. Drains the scheduler too. Blocks until all calls have ended.
  // To be called once.
  void Drain(absl::Duration lag, absl::Duration patience);

 private:
  GrpcServer(const GrpcServerParts& parts, const GrpcServerOptions& options);

  const GrpcServerParts parts_;
  const std::shared_ptr<grpc::ServerCredentials> credentials_;
  Access open_access_;  // without tokens
  Access* const access_;
  OpenCalls calls_;
  OpenStreams streams_;
  WorkerPool workers_;
  WorkerPool verifiers_;
  const ServiceContext context_;
  ActivationServiceImpl service_;
  UnknownMethods unknown_methods_;
  Reflection reflection_;
  std::unique_ptr<FrontDoor> door_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  bool drained_ = false;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_GRPC_SERVER_H_
