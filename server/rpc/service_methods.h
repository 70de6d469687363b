// The methods of ActivationService, as the proto declares them.
#ifndef HYDROPHONE_SERVER_RPC_SERVICE_METHODS_H_
#define HYDROPHONE_SERVER_RPC_SERVICE_METHODS_H_

#include <string>
#include <vector>

namespace hydrophone {

struct ServiceMethod {
  std::string name;             // "Extract"
  bool streams_answer = false;  // a stream of messages answers a call, not one message
};

// All methods, in the proto's order, read from the service's descriptor.
std::vector<ServiceMethod> ServiceMethods();

// "hydrophone.v1.ActivationService"
std::string ServiceName();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_SERVICE_METHODS_H_
