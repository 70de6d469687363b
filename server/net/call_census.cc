#include "server/net/call_census.h"

#include <grpcpp/generic/async_generic_service.h>

namespace hydrophone {
namespace {

// gRPC asks for a call's context on the thread that reads the connection, before any thread begins the call, and
// releases it when the call has ended. The contexts remain gRPC's.
class Arrivals : public grpc::ContextAllocator {
 public:
  explicit Arrivals(CallCensus* census) : census_(census) {}

  grpc::CallbackServerContext* NewCallbackServerContext() override {
    census_->Arrived();
    return nullptr;
  }
  grpc::GenericCallbackServerContext* NewGenericCallbackServerContext() override {
    census_->Arrived();
    return nullptr;
  }
  void Release(grpc::CallbackServerContext* context) override { census_->Ended(context->peer()); }
  void Release(grpc::GenericCallbackServerContext* context) override { census_->Ended(context->peer()); }

 private:
  CallCensus* const census_;
};

// gRPC asks for a call's interceptors on the thread that begins it. It gets none.
class Beginnings : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Beginnings(CallCensus* census) : census_(census) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override {
    // Reflection's calls are of another kind, which has no contexts from Arrivals.
    auto* context = dynamic_cast<grpc::CallbackServerContext*>(info->server_context());
    if (context != nullptr) census_->Begun(context->peer());
    return nullptr;
  }

 private:
  CallCensus* const census_;
};

}  // namespace

std::unique_ptr<grpc::ContextAllocator> TellArrivals(CallCensus* census) { return std::make_unique<Arrivals>(census); }

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> TellBeginnings(CallCensus* census) {
  return std::make_unique<Beginnings>(census);
}

}  // namespace hydrophone
