// A gRPC server in this process that answers as a test tells it to, with the toy model otherwise.
#ifndef HYDROPHONE_TESTS_CLIENT_CPP_FAKE_SERVICE_H_
#define HYDROPHONE_TESTS_CLIENT_CPP_FAKE_SERVICE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/cpp/client.h"
#include "client/cpp/errors.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/server.h"
#include "hydrophone/v1/activation_service.grpc.pb.h"
#include "server/base/mutex.h"
#include "tests/client/cpp/toy_model.h"

namespace hydrophone::client {

// One answer to Extract: messages, then a status.
struct Script {
  std::vector<v1::ExtractResponse> messages;
  grpc::Status status;
};

// Set the members before the first call. Listens on a loopback port from its making to its end.
class FakeService final : public v1::ActivationService::Service {
 public:
  // Port 0: a free one.
  explicit FakeService(int port = 0);
  ~FakeService() override;

  const std::string& address() const { return address_; }
  int port() const { return port_; }
  // A client of it, that waits for nothing between its attempts.
  std::unique_ptr<Client> Connect() const;
  void SetServing(bool serving);
  // The Extract requests so far.
  std::vector<v1::ExtractRequest> requests() const;
  std::vector<v1::GetParametersRequest> parameters_requests() const;
  // The delays that clients made by Connect would have waited for.
  std::vector<absl::Duration> delays() const;
  int tokenize_calls() const;

  v1::GetModelResponse model = ToyModel();
  std::function<Script(const v1::ExtractRequest&)> on_extract = [](const v1::ExtractRequest& request) {
    return Script{ToyStream(request), grpc::Status::OK};
  };
  std::function<std::vector<v1::GetParametersResponse>(const v1::GetParametersRequest&)> on_get_parameters =
      ToyParameters;
  std::function<grpc::Status(const v1::VerifyRequest&, v1::VerifyResponse*)> on_verify;

  grpc::Status GetModel(grpc::ServerContext*, const v1::GetModelRequest*, v1::GetModelResponse* response) override;
  grpc::Status ListHookPoints(grpc::ServerContext*, const v1::ListHookPointsRequest*,
                              v1::ListHookPointsResponse* response) override;
  grpc::Status Tokenize(grpc::ServerContext*, const v1::TokenizeRequest* request,
                        v1::TokenizeResponse* response) override;
  // A token is a byte.
  grpc::Status Detokenize(grpc::ServerContext*, const v1::DetokenizeRequest* request,
                          v1::DetokenizeResponse* response) override;
  grpc::Status Extract(grpc::ServerContext*, const v1::ExtractRequest* request,
                       grpc::ServerWriter<v1::ExtractResponse>* writer) override;
  grpc::Status GetParameters(grpc::ServerContext*, const v1::GetParametersRequest* request,
                             grpc::ServerWriter<v1::GetParametersResponse>* writer) override;
  grpc::Status Verify(grpc::ServerContext*, const v1::VerifyRequest* request, v1::VerifyResponse* response) override;

 private:
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::string address_;
  mutable Mutex mutex_;
  std::vector<v1::ExtractRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::GetParametersRequest> parameters_requests_ ABSL_GUARDED_BY(mutex_);
  mutable std::vector<absl::Duration> delays_ ABSL_GUARDED_BY(mutex_);
  int tokenize_calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A status with google.rpc details: ErrorInfo with the reason, BadRequest with the violations,
// RetryInfo with the delay, each when given.
grpc::Status StatusWithDetails(grpc::StatusCode code, const std::string& message, const std::string& reason,
                               const std::vector<FieldViolation>& violations = {},
                               absl::Duration retry = absl::ZeroDuration());

}  // namespace hydrophone::client

#endif  // HYDROPHONE_TESTS_CLIENT_CPP_FAKE_SERVICE_H_
