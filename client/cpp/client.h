// Hydrophone's service from C++: one object with a method for each RPC, and absl::Status for errors.
//
//   auto client = Client::Connect({.address = "127.0.0.1:50051"});
//   v1::ExtractRequest request;
//   request.add_texts("Hello world");
//   request.add_hook_points("blocks.10.hook_attn_out");
//   absl::StatusOr<Extraction> extraction = client->Extract(request);
//
// Statuses keep the server's details: see errors.h.
#ifndef HYDROPHONE_CLIENT_CPP_CLIENT_H_
#define HYDROPHONE_CLIENT_CPP_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/credentials.h"
#include "client/cpp/received.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "hydrophone/v1/activation_service.grpc.pb.h"
#include "server/base/mutex.h"

namespace hydrophone::client {

struct ClientOptions {
  std::string address = "127.0.0.1:50051";  // HOST:PORT, or any gRPC target

  // TLS and the token. Where CheckCredentials refuses them, every call but health ends with what it says, and nothing
  // is sent.
  Credentials credentials;

  absl::Duration timeout = absl::InfiniteDuration();  // for each call, from its start to its last byte

  // How long a call waits for the first connection, while gRPC tries again: a first attempt may fail for a reason that
  // is gone in the next moment, such as a server that is about to listen. After this time the call is made without a
  // connection, and its error tells what is wrong. 0: calls do not wait.
  absl::Duration connect_timeout = absl::Seconds(1);

  // How often a call is made in all that the server refuses because it is busy (OVERLOADED, DRAINING), each time after
  // the delay that the server names. 1: calls are not repeated.
  int attempts = 5;

  // Waits before a further attempt.
  std::function<void(absl::Duration)> sleep = absl::SleepFor;
};

// Thread-safe.
class Client {
 public:
  // Makes the object; the first call connects.
  static std::unique_ptr<Client> Connect(ClientOptions options);

  absl::StatusOr<v1::GetModelResponse> GetModel();
  absl::StatusOr<v1::ListHookPointsResponse> ListHookPoints();
  absl::StatusOr<v1::TokenizeResponse> Tokenize(const v1::TokenizeRequest& request);
  absl::StatusOr<v1::DetokenizeResponse> Detokenize(const v1::DetokenizeRequest& request);
  absl::StatusOr<v1::VerifyResponse> Verify(const v1::VerifyRequest& request);

  // Makes one request and gives each capture to `sink` as soon as it is complete. DATA_LOSS when the stream is damaged
  // or cut: the sink then has verified captures, but not all of them. A call is not repeated once the sink has got
  // anything.
  absl::Status Extract(const v1::ExtractRequest& request, ExtractSink* sink);

  // The same, with the whole answer in memory.
  absl::StatusOr<Extraction> Extract(const v1::ExtractRequest& request);

  // The same with the model's parameters, or rows of them. Errors as Extract's.
  absl::Status GetParameters(const v1::GetParametersRequest& request, ParametersSink* sink);
  absl::StatusOr<ReceivedParameters> GetParameters(const v1::GetParametersRequest& request);

  // Health of a service; "" for the server as a whole. OK when it serves; UNAVAILABLE when no server answers, or when
  // it does not serve now.
  absl::Status CheckHealth(const std::string& service = "");

  // Asks again until the server serves or `timeout` has passed; returns the last answer.
  absl::Status WaitUntilServing(absl::Duration timeout);

  // The server's answer to GetModel, which is called once and remembered.
  absl::StatusOr<v1::GetModelResponse> Model();

 private:
  explicit Client(ClientOptions options);

  // A channel that takes messages as large as the server's limits allow.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelForStreams();
  // The channel, connected if that was possible within connect_timeout.
  std::shared_ptr<grpc::Channel> Channel();
  // Calls a method that is answered by a stream, each attempt with an assembler that `make` makes, a StreamAssembler or
  // the like.
  template <typename Request, typename MakeAssembler>
  absl::Status Stream(const std::string& method, const Request& request, const MakeAssembler& make);
  template <typename Request, typename Assembler>
  absl::Status StreamOnce(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                          const Request& request, Assembler* assembler);
  // Gives a call its deadline and its token.
  void Prepare(grpc::ClientContext* context) const;
  // Makes `call` until it succeeds, fails for good, or was made `attempts` times.
  absl::Status Retry(const std::function<absl::Status()>& call) const;
  template <typename Request, typename Response>
  absl::StatusOr<Response> Unary(grpc::Status (v1::ActivationService::Stub::*method)(grpc::ClientContext*,
                                                                                     const Request&, Response*),
                                 const Request& request);

  const ClientOptions options_;
  Mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mutex_);
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;      // channel_ was connected at least once
  uint64_t receive_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // largest message that channel_ takes
  std::unique_ptr<v1::GetModelResponse> model_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLIENT_H_
