#include "tests/server/rpc/rpc_fixture.h"

#include <grpcpp/generic/generic_stub.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpc/health/v1/health.pb.h"

namespace hydrophone {

std::string ReasonOf(const grpc::Status& status) {
  auto info = DetailOf<google::rpc::ErrorInfo>(status);
  return info.has_value() && info->domain() == "hydrophone" ? info->reason() : "";
}

std::vector<std::string> FieldsOf(const grpc::Status& status) {
  std::vector<std::string> fields;
  if (auto bad = DetailOf<google::rpc::BadRequest>(status)) {
    for (const auto& violation : bad->field_violations()) fields.push_back(violation.field());
  }
  return fields;
}

size_t Streamed::Count(v1::ExtractResponse::PartCase part) const {
  return static_cast<size_t>(std::count_if(messages.begin(), messages.end(), [&](const v1::ExtractResponse& message) {
    return message.part_case() == part;
  }));
}

RpcFixture::RpcFixture() {
  options_.listen = "127.0.0.1:0";
  options_.version = "1.2.3";
}

RpcFixture::~RpcFixture() { LetRun(); }

void RpcFixture::Start() {
  scheduler_ = std::make_unique<Scheduler>(&engine_, limits_, clock_, &metrics_);
  auto started = GrpcServer::Start(
      {&engine_, &tokenizer_, scheduler_.get(), &metrics_, clock_, &limits_, &call_log_, access_.get()}, options_);
  ASSERT_TRUE(started.ok()) << started.status();
  server_ = *std::move(started);
  client_ = NewClient();
}

std::unique_ptr<v1::ActivationService::Stub> RpcFixture::NewClient() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  // 64 KiB and no more are on their way to a client that does not read.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 * 1024);
  return v1::ActivationService::NewStub(grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", server_->port()),
                                                                  grpc::InsecureChannelCredentials(), arguments));
}

Streamed RpcFixture::Extract(const v1::ExtractRequest& request, const std::string& authorization) const {
  return Extract(request, NewClient().get(), authorization);
}

Streamed RpcFixture::Extract(const v1::ExtractRequest& request, v1::ActivationService::Stub* client,
                             const std::string& authorization) {
  Streamed streamed;
  grpc::ClientContext context;
  if (!authorization.empty()) context.AddMetadata("authorization", authorization);
  auto reader = client->Extract(&context, request);
  for (v1::ExtractResponse message; reader->Read(&message);) streamed.messages.push_back(message);
  streamed.status = reader->Finish();
  return streamed;
}

grpc::Status RpcFixture::CallRaw(const std::string& method, const std::string& request, std::string* answer,
                                 const std::string& authorization) const {
  grpc::GenericStub stub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_->port()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  if (!authorization.empty()) context.AddMetadata("authorization", authorization);
  grpc::Slice slice(request);
  grpc::ByteBuffer sent(&slice, 1);
  grpc::ByteBuffer received;
  grpc::Status status;
  Signal done{"the unary call ended"};
  stub.UnaryCall(&context, method, grpc::StubOptions(), &sent, &received, [&](grpc::Status result) {
    status = std::move(result);
    done.Raise();
  });
  done.Await();
  if (status.ok() && answer != nullptr) {
    grpc::Slice whole;
    EXPECT_TRUE(received.DumpToSingleSlice(&whole).ok());
    answer->assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
  }
  return status;
}

int RpcFixture::Health(const std::string& service) const {
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  std::string answer;
  if (!CallRaw("/grpc.health.v1.Health/Check", request.SerializeAsString(), &answer).ok()) return -1;
  grpc::health::v1::HealthCheckResponse response;
  EXPECT_TRUE(response.ParseFromString(answer));
  return response.status();
}

absl::Time RpcFixture::SetFarDeadline(grpc::ClientContext* context) {
  const absl::Time now = absl::Now();
  context->set_deadline(absl::ToChronoTime(now + absl::Hours(1)));
  return now + absl::Hours(2);
}

void RpcFixture::HoldRuns() {
  engine_.on_run = [this] {
    running_.Raise();
    go_.Await();
  };
}

void RpcFixture::LetRun() { go_.Raise(); }

v1::ExtractRequest TextRequest(const std::string& text) {
  v1::ExtractRequest request;
  request.add_texts(text);
  request.add_hook_points("hook_resid_pre");
  return request;
}

}  // namespace hydrophone
