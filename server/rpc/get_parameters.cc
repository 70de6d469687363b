#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "server/answer/parameter_frames.h"
#include "server/base/sha256.h"
#include "server/rpc/byte_buffers.h"
#include "server/rpc/frame_stream.h"
#include "server/rpc/operations.h"
#include "server/wire/request_guard.h"

namespace hydrophone {
namespace {

// All messages are there to be encoded from the start. What is abandoned is freed with the stream.
class ParametersSource final : public FrameSource {
 public:
  ParametersSource(ParametersCall call, const RequestContext& context) : frames_(std::move(call), context) {}

  Step Next() override {
    std::optional<Frame> frame = frames_.Next();
    if (!frame.has_value()) return {std::nullopt, absl::OkStatus()};
    return {std::move(frame), std::nullopt};
  }
  void Abandon() override {}

 private:
  ParameterFrames frames_;
};

// One GetParameters call. Nothing of it passes the scheduler: the weights lie in memory, or in the mapped file.
class ParametersStream final : public FrameStream {
 public:
  ParametersStream(const ServiceContext& service, grpc::CallbackServerContext* context, const grpc::ByteBuffer& request)
      : FrameStream(service, context, request, "GetParameters") {}

 private:
  absl::StatusOr<ParametersCall> ReadRequest() {
    const absl::StatusOr<RequestBytes> bytes = TakeRequest();
    if (!bytes.ok()) return bytes.status();
    v1::GetParametersRequest request;
    const RequestContext& context = service().request;
    if (absl::Status read = ParseRequest(bytes->view(), context.limits, &request); !read.ok()) return read;
    return PlanParameters(request, Sha256Hex(bytes->view()), service().engine->Parameters(), context);
  }

  void Admit(std::shared_ptr<CallNotes> notes) override {
    absl::StatusOr<ParametersCall> call = ReadRequest();
    if (!call.ok()) return End(call.status());
    notes->Reached(CallStage::kSending);
    if (Take(std::make_unique<ParametersSource>(*std::move(call), service().request))) Wake();
  }
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartGetParameters(const ServiceContext& service,
                                                               grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* request) {
  return StartStream<ParametersStream>(service, context, *request);
}

}  // namespace hydrophone
