#include "server/rpc/service_methods.h"

#include "google/protobuf/descriptor.h"
#include "hydrophone/v1/activation_service.grpc.pb.h"

namespace hydrophone {

std::vector<ServiceMethod> ServiceMethods() {
  const google::protobuf::ServiceDescriptor* service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(ServiceName());
  std::vector<ServiceMethod> methods;
  for (int i = 0; service != nullptr && i < service->method_count(); ++i) {
    methods.push_back({service->method(i)->name(), service->method(i)->server_streaming()});
  }
  return methods;
}

std::string ServiceName() { return v1::ActivationService::service_full_name(); }

}  // namespace hydrophone
