#include "client/cpp/client.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "client/cpp/byte_stream.h"
#include "client/cpp/errors.h"
#include "client/cpp/health.h"
#include "client/cpp/parameters_assembler.h"
#include "client/cpp/stream_assembler.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/support/channel_arguments.h"
#include "server/base/address.h"

namespace hydrophone::client {
namespace {

// The largest message that is received: enough for the tokens of the longest text that a server's default limits allow.
constexpr uint64_t kReceiveBytes = uint64_t{64} << 20;
// Bytes of a message beside those that a server's max_message_bytes counts.
constexpr uint64_t kSlackBytes = uint64_t{1} << 20;
// The pause between two health checks of a server that does not serve yet.
constexpr absl::Duration kHealthInterval = absl::Milliseconds(100);
constexpr char kExtractMethod[] = "/hydrophone.v1.ActivationService/Extract";
constexpr char kGetParametersMethod[] = "/hydrophone.v1.ActivationService/GetParameters";
// The pause before the second attempt to connect; gRPC makes later pauses longer.
constexpr int kReconnectMilliseconds = 100;

std::shared_ptr<grpc::Channel> MakeChannel(const ClientOptions& options, uint64_t receive_bytes) {
  grpc::ChannelArguments arguments;
  constexpr uint64_t kMostBytes = std::numeric_limits<int>::max();
  arguments.SetMaxReceiveMessageSize(static_cast<int>(std::min(receive_bytes, kMostBytes)));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMilliseconds);
  // A proxy that the environment names cannot reach what only this machine has.
  const absl::StatusOr<Address> parsed = ParseAddress(options.address);
  if (parsed.ok() && parsed->is_loopback()) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(options.address, ChannelCredentialsOf(options.credentials), arguments);
}

class ParametersGatherer final : public ParametersSink {
 public:
  explicit ParametersGatherer(ReceivedParameters* parameters) : parameters_(*parameters) {}
  absl::Status OnHeader(const v1::ParametersHeader& header) override {
    parameters_.header = header;
    return absl::OkStatus();
  }
  absl::Status OnTensor(ReceivedTensor tensor) override {
    parameters_.tensors.push_back(std::move(tensor));
    return absl::OkStatus();
  }
  absl::Status OnTrailer(const v1::ParametersTrailer& trailer) override {
    parameters_.trailer = trailer;
    return absl::OkStatus();
  }

 private:
  ReceivedParameters& parameters_;
};

// Whether the same call may succeed after a while, and after how long.
std::optional<absl::Duration> RetryDelay(const absl::Status& status) {
  if (!absl::IsUnavailable(status) && !absl::IsResourceExhausted(status)) return std::nullopt;
  return RetryAfterOf(status);
}

}  // namespace

std::unique_ptr<Client> Client::Connect(ClientOptions options) {
  return std::unique_ptr<Client>(new Client(std::move(options)));
}

Client::Client(ClientOptions options) : options_(std::move(options)) {
  MutexLock lock(&mutex_);
  receive_bytes_ = kReceiveBytes;
  channel_ = MakeChannel(options_, receive_bytes_);
}

std::shared_ptr<grpc::Channel> Client::Channel() {
  std::shared_ptr<grpc::Channel> channel;
  {
    MutexLock lock(&mutex_);
    if (connected_) return channel_;
    channel = channel_;
  }
  const absl::Duration most = std::min(options_.connect_timeout, options_.timeout);
  const bool connected = channel->WaitForConnected(absl::ToChronoTime(absl::Now() + most));
  MutexLock lock(&mutex_);
  if (channel == channel_) connected_ = connected;
  return channel;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Client::ChannelForStreams() {
  const auto model = Model();
  if (!model.ok()) return model.status();
  const uint64_t needed = model->limits().max_message_bytes() + kSlackBytes;
  {
    MutexLock lock(&mutex_);
    if (needed > receive_bytes_) {
      receive_bytes_ = needed;
      channel_ = MakeChannel(options_, receive_bytes_);
      connected_ = false;
    }
  }
  return Channel();
}

void Client::Prepare(grpc::ClientContext* context) const {
  AddToken(options_.credentials, context);
  if (options_.timeout == absl::InfiniteDuration()) return;
  context->set_deadline(absl::ToChronoTime(absl::Now() + options_.timeout));
}

absl::Status Client::Retry(const std::function<absl::Status()>& call) const {
  for (int attempt = 1;; ++attempt) {
    absl::Status status = call();
    const auto delay = RetryDelay(status);
    if (status.ok() || !delay || attempt >= options_.attempts) return status;
    options_.sleep(*delay);
  }
}

template <typename Request, typename Response>
absl::StatusOr<Response> Client::Unary(grpc::Status (v1::ActivationService::Stub::*method)(grpc::ClientContext*,
                                                                                           const Request&, Response*),
                                       const Request& request) {
  if (absl::Status fit = CheckCredentials(options_.credentials, options_.address); !fit.ok()) return fit;
  Response response;
  const auto stub = v1::ActivationService::NewStub(Channel());
  absl::Status status = Retry([&] {
    grpc::ClientContext context;
    Prepare(&context);
    response.Clear();
    return FromGrpcStatus(((*stub).*method)(&context, request, &response));
  });
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<v1::GetModelResponse> Client::GetModel() {
  return Unary(&v1::ActivationService::Stub::GetModel, v1::GetModelRequest());
}

absl::StatusOr<v1::ListHookPointsResponse> Client::ListHookPoints() {
  return Unary(&v1::ActivationService::Stub::ListHookPoints, v1::ListHookPointsRequest());
}

absl::StatusOr<v1::TokenizeResponse> Client::Tokenize(const v1::TokenizeRequest& request) {
  return Unary(&v1::ActivationService::Stub::Tokenize, request);
}

absl::StatusOr<v1::DetokenizeResponse> Client::Detokenize(const v1::DetokenizeRequest& request) {
  return Unary(&v1::ActivationService::Stub::Detokenize, request);
}

absl::StatusOr<v1::VerifyResponse> Client::Verify(const v1::VerifyRequest& request) {
  return Unary(&v1::ActivationService::Stub::Verify, request);
}

absl::StatusOr<v1::GetModelResponse> Client::Model() {
  {
    MutexLock lock(&mutex_);
    if (model_ != nullptr) return *model_;
  }
  auto model = GetModel();
  if (!model.ok()) return model;
  MutexLock lock(&mutex_);
  if (model_ == nullptr) model_ = std::make_unique<v1::GetModelResponse>(*model);
  return *model_;
}

template <typename Request, typename Assembler>
absl::Status Client::StreamOnce(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                                const Request& request, Assembler* assembler) {
  grpc::ClientContext context;
  Prepare(&context);
  ByteStream stream(channel, method, request, &context);
  absl::Status failure;
  MessagePieces message;
  while (failure.ok() && stream.Read(&message)) failure = assembler->Add(message);
  if (!failure.ok()) return failure;  // returning cancels the call
  absl::Status status = FromGrpcStatus(stream.Finish());
  return status.ok() ? assembler->Finish() : status;
}

template <typename Request, typename MakeAssembler>
absl::Status Client::Stream(const std::string& method, const Request& request, const MakeAssembler& make) {
  const auto channel = ChannelForStreams();
  if (!channel.ok()) return channel.status();
  absl::Status late;  // a failure that must not be retried, because the sink has got a part
  absl::Status status = Retry([&] {
    auto assembler = make();
    absl::Status once = StreamOnce(*channel, method, request, &assembler);
    if (!assembler.started()) return once;
    late = std::move(once);
    return absl::OkStatus();
  });
  return status.ok() ? late : status;
}

absl::Status Client::Extract(const v1::ExtractRequest& request, ExtractSink* sink) {
  return Stream(kExtractMethod, request, [&] { return StreamAssembler(request.validate_only(), sink); });
}

absl::StatusOr<Extraction> Client::Extract(const v1::ExtractRequest& request) {
  Extraction extraction;
  GatheringSink sink(&extraction);
  if (absl::Status status = Extract(request, &sink); !status.ok()) return status;
  return extraction;
}

absl::Status Client::GetParameters(const v1::GetParametersRequest& request, ParametersSink* sink) {
  return Stream(kGetParametersMethod, request, [&] { return ParametersAssembler(request.list_only(), sink); });
}

absl::StatusOr<ReceivedParameters> Client::GetParameters(const v1::GetParametersRequest& request) {
  ReceivedParameters parameters;
  ParametersGatherer gatherer(&parameters);
  if (absl::Status status = GetParameters(request, &gatherer); !status.ok()) return status;
  return parameters;
}

absl::Status Client::CheckHealth(const std::string& service) {
  std::shared_ptr<grpc::Channel> channel;
  {
    MutexLock lock(&mutex_);
    channel = channel_;
  }
  return client::CheckHealth(channel, service, std::min(options_.timeout, kHealthTimeout));
}

absl::Status Client::WaitUntilServing(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  for (;;) {
    absl::Status status = CheckHealth();
    if (status.ok() || absl::Now() + kHealthInterval >= deadline) return status;
    options_.sleep(kHealthInterval);
  }
}

}  // namespace hydrophone::client
