// The standard health service, grpc.health.v1, asked without generated stubs.
#ifndef HYDROPHONE_CLIENT_CPP_HEALTH_H_
#define HYDROPHONE_CLIENT_CPP_HEALTH_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"

namespace hydrophone::client {

// How long one health check may take.
inline constexpr absl::Duration kHealthTimeout = absl::Seconds(5);

// OK when `service` ("": the server as a whole) is SERVING; UNAVAILABLE, with the state's name,
// when it is not; NOT_FOUND when the server does not know the service; else the call's error.
absl::Status CheckHealth(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                         absl::Duration timeout);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_HEALTH_H_
