// Hydrophone's service from C++: one object, one method an RPC, absl::Status for errors.
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

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cpp/received.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "hydrophone/v1/activation_service.grpc.pb.h"

namespace hydrophone::client {

struct ClientOptions {
  std::string address = "127.0.0.1:50051";  // HOST:PORT, or any gRPC target

  absl::Duration timeout = absl::InfiniteDuration();  // of each call, from its start to its last byte

  // Until there has been a connection, a call waits so long for one, while gRPC tries again: a first attempt may fail
  // for a reason that is gone in the next moment, such as a server that is about to listen. Then it is made all the
  // same, and says what is wrong. 0: it does not wait.
  absl::Duration connect_timeout = absl::Seconds(1);

  // Calls that the server refuses because it is busy (OVERLOADED, DRAINING) are made again, after
  // the delay that it names, until so many were made in all. 1: never again.
  int attempts = 5;

  // How to wait before a further attempt.
  std::function<void(absl::Duration)> sleep = absl::SleepFor;
};

// Thread-safe. Plaintext.
class Client {
 public:
  // Makes no connection yet: the first call does.
  static std::unique_ptr<Client> Connect(ClientOptions options);

  absl::StatusOr<v1::GetModelResponse> GetModel();
  absl::StatusOr<v1::ListHookPointsResponse> ListHookPoints();
  absl::StatusOr<v1::TokenizeResponse> Tokenize(const v1::TokenizeRequest& request);
  absl::StatusOr<v1::DetokenizeResponse> Detokenize(const v1::DetokenizeRequest& request);
  absl::StatusOr<v1::VerifyResponse> Verify(const v1::VerifyRequest& request);

  // One request, its captures given to `sink` as they are complete. DATA_LOSS when the stream is
  // damaged or cut: what the sink got until then is verified, but not all. Not made again once the
  // sink has got anything.
  absl::Status Extract(const v1::ExtractRequest& request, ExtractSink* sink);

  // The same, whole, in memory.
  absl::StatusOr<Extraction> Extract(const v1::ExtractRequest& request);

  // Health of a service; "" for the server as a whole. OK: it serves. UNAVAILABLE: nobody there, or
  // it does not serve (now).
  absl::Status CheckHealth(const std::string& service = "");

  // The same until it serves or `timeout` has passed; then the last answer.
  absl::Status WaitUntilServing(absl::Duration timeout);

  // The server's answer to GetModel, asked for once.
  absl::StatusOr<v1::GetModelResponse> Model();

 private:
  explicit Client(ClientOptions options);

  // A channel on which messages may be received of the size that the server's limits name.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelForStreams();
  // Connected, if that was possible in the time that the options name.
  std::shared_ptr<grpc::Channel> Channel();
  absl::Status ExtractOnce(const std::shared_ptr<grpc::Channel>& channel, const v1::ExtractRequest& request,
                           ExtractSink* sink, bool* started);
  void SetDeadline(grpc::ClientContext* context) const;
  // Makes `call` until it succeeds, fails for good, or was made often enough.
  absl::Status Retry(const std::function<absl::Status()>& call) const;
  template <typename Request, typename Response>
  absl::StatusOr<Response> Unary(grpc::Status (v1::ActivationService::Stub::*method)(grpc::ClientContext*,
                                                                                     const Request&, Response*),
                                 const Request& request);

  const ClientOptions options_;
  absl::Mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mutex_);
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;      // channel_ has been, once
  uint64_t receive_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // largest message that channel_ takes
  std::unique_ptr<v1::GetModelResponse> model_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLIENT_H_
