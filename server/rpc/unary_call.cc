#include "server/rpc/unary_call.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "server/core/errors.h"
#include "server/core/out_of_memory.h"
#include "server/rpc/caller_of.h"
#include "server/rpc/refused_call.h"
#include "server/rpc/status.h"

namespace hydrophone {
namespace {

// Kept alive by self_ until gRPC calls OnDone, and by the pool's task.
class UnaryCall : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<UnaryCall> {
 public:
  UnaryCall(const ServiceContext& service, const char* method, UnaryTransport transport, UnaryHandler handler,
            std::function<void()> on_cancel)
      : service_(service),
        transport_(transport),
        deadline_(DeadlineOf(*transport.context)),
        permit_(PermitOf(*transport.context, service.access)),
        caller_(CallerOf(permit_, *transport.context)),
        handler_(std::move(handler)),
        on_cancel_(std::move(on_cancel)),
        call_(std::in_place, service.calls, method, caller_, transport.context) {
    call_->Received(transport.request->Length());
  }

  void Start(WorkerPool* pool) {
    self_ = shared_from_this();
    if (!permit_.ok()) return End(permit_.status());
    if (!call_->admitted().ok()) return End(call_->admitted());
    const auto cost = static_cast<int64_t>(transport_.request->Length());
    const absl::Status offered = OrOutOfMemory([&] {
      if (pool->Offer(caller_, cost, [self = shared_from_this()] { self->Run(); })) return absl::OkStatus();
      return Overloaded("too many calls wait for a worker", absl::Seconds(1));
    });
    if (!offered.ok()) End(offered);
  }

  void OnCancel() override {
    *cancelled_ = true;
    // Without memory, what waits for the call notices at its turn that the caller has left.
    if (on_cancel_) OrOutOfMemory(on_cancel_).IgnoreError();
  }

  void OnDone() override {
    call_.reset();
    self_.reset();
  }

 private:
  // The task of the pool.
  void Run() {
    End(OrOutOfMemory([this] { return Answer(); }));
  }

  // Fills in the response.
  absl::Status Answer() {
    auto stopped = [cancelled = cancelled_, deadline = deadline_, &service = service_] {
      return *cancelled || service.calls->cut_off() || service.clock->Now() >= deadline;
    };
    if (stopped()) return CancelledOrLate(deadline_, service_.clock->Now());
    absl::StatusOr<RequestBytes> request = RequestBytes::Read(*transport_.request, service_.request.limits);
    if (!request.ok()) return request.status();
    call_->notes()->Reached(CallStage::kComputing);
    absl::StatusOr<grpc::ByteBuffer> answer =
        handler_({request->view(), caller_, permit_->get(), deadline_, stopped, *call_->notes()});
    if (!answer.ok()) return answer.status();
    size_t size = answer->Length();
    transport_.response->Swap(&*answer);
    call_->Sent(size);
    return absl::OkStatus();
  }

  // Finishes the call. Nothing may touch the call afterwards: OnDone may come before Finish returns.
  void End(absl::Status status) {
    if (!status.ok() && service_.calls->cut_off() && !*cancelled_) status = Draining(absl::Seconds(1));
    call_->Finished(status);
    if (permit_.ok()) (*permit_)->End();
    Finish(FinalStatus(status, transport_.context));
  }

  const ServiceContext& service_;
  const UnaryTransport transport_;
  const absl::Time deadline_;
  const CallPermit permit_;
  const Caller caller_;
  const UnaryHandler handler_;
  const std::function<void()> on_cancel_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  std::optional<OpenCalls::Call> call_;
  std::shared_ptr<UnaryCall> self_;
};

}  // namespace

grpc::ServerUnaryReactor* StartUnary(const ServiceContext& service, WorkerPool* pool, const char* method,
                                     UnaryTransport transport, UnaryHandler handler, std::function<void()> on_cancel) {
  if (!transport.request->Valid()) return new RefusedCall<grpc::ServerUnaryReactor>(NoRequest());
  std::shared_ptr<UnaryCall> call;
  const absl::Status made = OrOutOfMemory([&] {
    call = std::make_shared<UnaryCall>(service, method, transport, std::move(handler), std::move(on_cancel));
  });
  if (!made.ok()) return new RefusedCall<grpc::ServerUnaryReactor>(FinalStatus(made, transport.context));
  call->Start(pool);
  return call.get();
}

absl::Time DeadlineOf(const grpc::CallbackServerContext& context) {
  auto deadline = context.deadline();
  return deadline == std::chrono::system_clock::time_point::max() ? absl::InfiniteFuture() : absl::FromChrono(deadline);
}

absl::Status CancelledOrLate(absl::Time deadline, absl::Time now) {
  if (now >= deadline) return absl::DeadlineExceededError("the call's deadline passed before it was done");
  return absl::CancelledError("the caller left");
}

}  // namespace hydrophone
