// A real gRPC server on the loopback over a fake engine, and clients of it.
#ifndef HYDROPHONE_TESTS_SERVER_RPC_RPC_FIXTURE_H_
#define HYDROPHONE_TESTS_SERVER_RPC_RPC_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "hydrophone/v1/activation_service.grpc.pb.h"
#include "server/rpc/grpc_server.h"
#include "server/sched/clock.h"
#include "server/sched/scheduler.h"
#include "tests/fakes/byte_tokenizer.h"
#include "tests/fakes/fake_call_log.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_engine.h"
#include "tests/fakes/fake_metrics.h"
#include "tests/fakes/signal.h"

namespace hydrophone {

// The detail of this type in a status, if any.
template <typename Detail>
std::optional<Detail> DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return std::nullopt;
  for (const google::protobuf::Any& any : details.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

// ErrorInfo's reason; "" when there is none or its domain is not "hydrophone".
std::string ReasonOf(const grpc::Status& status);

// The path of each field that BadRequest names.
std::vector<std::string> FieldsOf(const grpc::Status& status);

// The messages of an Extract stream, and the status that it ended with.
struct Streamed {
  std::vector<v1::ExtractResponse> messages;
  grpc::Status status;

  // The number of messages of this kind.
  size_t Count(v1::ExtractResponse::PartCase part) const;
};

// A test changes engine_, limits_, options_ and clock_ before Start.
class RpcFixture : public testing::Test {
 protected:
  RpcFixture();
  ~RpcFixture() override;

  void Start();
  std::unique_ptr<v1::ActivationService::Stub> NewClient() const;

  // An Extract on a client of its own, read to its end; `authorization` as CallRaw.
  Streamed Extract(const v1::ExtractRequest& request, const std::string& authorization = "") const;
  static Streamed Extract(const v1::ExtractRequest& request, v1::ActivationService::Stub* client,
                          const std::string& authorization = "");

  // A unary call with these bytes as its request, with `authorization` in its metadata unless that is empty; the
  // answer's bytes come back in `answer` if it is not null.
  grpc::Status CallRaw(const std::string& method, const std::string& request, std::string* answer = nullptr,
                       const std::string& authorization = "") const;

  // The ServingStatus that grpc.health.v1 gives for this service, or -1 for an error.
  int Health(const std::string& service) const;

  // Sets a deadline that the client's own clock does not reach, so that only the server can end the call. Returns a
  // time that is past it on the server too, where gRPC rounds the time that is left up.
  static absl::Time SetFarDeadline(grpc::ClientContext* context);

  // Makes every Run wait in the engine until LetRun.
  void HoldRuns();
  void LetRun();

  FakeEngine engine_;
  ByteTokenizer tokenizer_;
  FakeMetrics metrics_;
  FakeCallLog call_log_;
  Limits limits_;
  GrpcServerOptions options_;
  std::unique_ptr<Access> access_;  // null: no tokens
  const Clock* clock_ = &RealClock();
  FakeClock fake_clock_;           // for clock_, when a test is about deadlines
  Signal running_{"a Run began"};  // with HoldRuns
  Signal go_{"LetRun was called"};
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<v1::ActivationService::Stub> client_;
};

// A request with one input of these bytes, captured at resid_pre of all layers.
v1::ExtractRequest TextRequest(const std::string& text);

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_SERVER_RPC_RPC_FIXTURE_H_
