#include "tests/client/cpp/fake_service.h"

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace hydrophone::client {

FakeService::FakeService(int port) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = absl::StrCat("127.0.0.1:", port_);
}

FakeService::~FakeService() { server_->Shutdown(std::chrono::system_clock::now()); }

std::unique_ptr<Client> FakeService::Connect() const {
  ClientOptions options;
  options.address = address_;
  options.sleep = [this](absl::Duration delay) {
    MutexLock lock(&mutex_);
    delays_.push_back(delay);
  };
  return Client::Connect(std::move(options));
}

void FakeService::SetServing(bool serving) { server_->GetHealthCheckService()->SetServingStatus(serving); }

std::vector<v1::ExtractRequest> FakeService::requests() const {
  MutexLock lock(&mutex_);
  return requests_;
}

std::vector<v1::GetParametersRequest> FakeService::parameters_requests() const {
  MutexLock lock(&mutex_);
  return parameters_requests_;
}

std::vector<absl::Duration> FakeService::delays() const {
  MutexLock lock(&mutex_);
  return delays_;
}

int FakeService::tokenize_calls() const {
  MutexLock lock(&mutex_);
  return tokenize_calls_;
}

grpc::Status FakeService::GetModel(grpc::ServerContext*, const v1::GetModelRequest*, v1::GetModelResponse* response) {
  *response = model;
  return grpc::Status::OK;
}

grpc::Status FakeService::ListHookPoints(grpc::ServerContext*, const v1::ListHookPointsRequest*,
                                         v1::ListHookPointsResponse* response) {
  for (const char* name : {"attn.c_proj", "mlp.c_proj"}) {
    v1::HookPoint* point = response->add_hook_points();
    point->set_name(absl::StrCat("blocks.L.", name));
    for (const char* symbol : {"s", "d"}) point->add_shape_symbols(absl::StrCat(symbol));
    point->set_layers(kToyLayers);
    point->set_capturable(true);
    point->set_editable(absl::string_view(name) == "mlp.c_proj");
  }
  return grpc::Status::OK;
}

// A token for every two bytes, so that a test sees whether these counts were used.
grpc::Status FakeService::Tokenize(grpc::ServerContext*, const v1::TokenizeRequest* request,
                                   v1::TokenizeResponse* response) {
  MutexLock lock(&mutex_);
  ++tokenize_calls_;
  for (const v1::Input& input : request->inputs()) {
    v1::TokenizedInput* tokens = response->add_inputs();
    tokens->set_key(input.key());
    const auto bytes = ToyTokens(input);
    for (size_t i = 0; i < bytes.size(); i += 2) {
      tokens->add_token_ids(bytes[i]);
      tokens->add_pieces(absl::StrCat("p", bytes[i]));
      tokens->add_byte_offsets(static_cast<uint32_t>(i));
    }
  }
  return grpc::Status::OK;
}

grpc::Status FakeService::Detokenize(grpc::ServerContext*, const v1::DetokenizeRequest* request,
                                     v1::DetokenizeResponse* response) {
  for (const v1::TokenSequence& sequence : request->sequences()) {
    std::string* text = response->add_sequences()->mutable_text();
    for (const uint32_t id : sequence.token_ids()) text->push_back(static_cast<char>(id));
  }
  return grpc::Status::OK;
}

grpc::Status FakeService::Extract(grpc::ServerContext*, const v1::ExtractRequest* request,
                                  grpc::ServerWriter<v1::ExtractResponse>* writer) {
  {
    MutexLock lock(&mutex_);
    requests_.push_back(*request);
  }
  const Script script = on_extract(*request);
  for (const v1::ExtractResponse& message : script.messages) {
    if (!writer->Write(message)) break;
  }
  return script.status;
}

grpc::Status FakeService::GetParameters(grpc::ServerContext*, const v1::GetParametersRequest* request,
                                        grpc::ServerWriter<v1::GetParametersResponse>* writer) {
  {
    MutexLock lock(&mutex_);
    parameters_requests_.push_back(*request);
  }
  for (const v1::GetParametersResponse& message : on_get_parameters(*request)) {
    if (!writer->Write(message)) break;
  }
  return grpc::Status::OK;
}

grpc::Status FakeService::Verify(grpc::ServerContext*, const v1::VerifyRequest* request, v1::VerifyResponse* response) {
  return on_verify(*request, response);
}

grpc::Status StatusWithDetails(grpc::StatusCode code, const std::string& message, const std::string& reason,
                               const std::vector<FieldViolation>& violations, absl::Duration retry) {
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("hydrophone");
  details.add_details()->PackFrom(info);
  google::rpc::BadRequest bad_request;
  for (const FieldViolation& violation : violations) {
    auto* added = bad_request.add_field_violations();
    added->set_field(violation.field);
    added->set_description(violation.description);
  }
  if (!violations.empty()) details.add_details()->PackFrom(bad_request);
  google::rpc::RetryInfo retry_info;
  retry_info.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(retry));
  retry_info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(retry % absl::Seconds(1))));
  if (retry != absl::ZeroDuration()) details.add_details()->PackFrom(retry_info);
  return grpc::Status(code, message, details.SerializeAsString());
}

}  // namespace hydrophone::client
