// What the API has and this server does not do.
#ifndef HYDROPHONE_SERVER_WIRE_NOT_BUILT_H_
#define HYDROPHONE_SERVER_WIRE_NOT_BUILT_H_

#include "absl/status/status.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone {

// UNIMPLEMENTED with the path of the first field that asks for something that is not built.
absl::Status CheckBuilt(const v1::ExtractRequest& request);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_WIRE_NOT_BUILT_H_
