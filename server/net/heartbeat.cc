#include "server/net/heartbeat.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <utility>

namespace hydrophone {
namespace {

constexpr absl::Duration kBetweenBeats = absl::Milliseconds(250);

// One call.
struct Beat {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  // Outlives the call for the thread that tells the answer.
  const std::shared_ptr<std::atomic<bool>> answered = std::make_shared<std::atomic<bool>>(false);
};

// A call's context keeps the channel, and the channel's end joins gRPC's threads. So that it does not end on one of
// these, the contexts belong to this, which waits for the last answer before its end.
class RealHeartbeat : public Heartbeat {
 public:
  explicit RealHeartbeat(std::shared_ptr<grpc::Channel> channel) : stub_(std::move(channel)) {}

  ~RealHeartbeat() override {
    if (beat_ == nullptr) return;
    beat_->context.TryCancel();
    beat_->answered->wait(false);
  }

  absl::Duration Silence(absl::Time now) override {
    const bool under_way = beat_ != nullptr && !*beat_->answered;
    if (under_way) return now - begun_;
    if (now - begun_ >= kBetweenBeats) Begin(now);
    return absl::ZeroDuration();
  }

 private:
  void Begin(absl::Time now) {
    begun_ = now;
    beat_ = std::make_unique<Beat>();
    grpc::Slice empty;  // a HealthCheckRequest for the server as a whole
    beat_->request = grpc::ByteBuffer(&empty, 1);
    stub_.UnaryCall(&beat_->context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &beat_->request,
                    &beat_->response, [answered = beat_->answered](const grpc::Status&) {
                      *answered = true;
                      answered->notify_all();
                    });
  }

  grpc::GenericStub stub_;
  absl::Time begun_ = absl::InfinitePast();
  std::unique_ptr<Beat> beat_;
};

}  // namespace

std::unique_ptr<Heartbeat> HealthHeartbeat(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<RealHeartbeat>(std::move(channel));
}

}  // namespace hydrophone
