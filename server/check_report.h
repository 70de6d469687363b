// What --check has found.
#ifndef HYDROPHONE_SERVER_CHECK_REPORT_H_
#define HYDROPHONE_SERVER_CHECK_REPORT_H_

#include <string>

#include "server/access/access.h"
#include "server/access/certificates.h"
#include "server/core/model_info.h"
#include "server/flags.h"

namespace hydrophone {

// A line for each thing that a server with these flags would work with, for people. `access`: null without tokens;
// `certificates`: null without TLS.
std::string CheckReport(const Flags& flags, const ModelInfo& model, const Access* access, Certificates* certificates);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_CHECK_REPORT_H_
