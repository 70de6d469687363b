// What a request's answer will hold.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_REQUEST_KINDS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_REQUEST_KINDS_H_

#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// Whether some captures come as bytes.
bool SendsBytes(const v1::ExtractRequest& request);

// Whether some come as values: other views, a logit lens, comparisons, metrics.
bool SendsValues(const v1::ExtractRequest& request);

// Whether some bytes are bfloat16.
bool SendsBfloat16(const v1::ExtractRequest& request);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_REQUEST_KINDS_H_
