// Verify's report as messages.
#ifndef HYDROPHONE_SERVER_VERIFY_CALL_VERIFY_MESSAGES_H_
#define HYDROPHONE_SERVER_VERIFY_CALL_VERIFY_MESSAGES_H_

#include <cstdint>

#include "hydrophone/v1/verify.pb.h"
#include "server/verify/report.h"

namespace hydrophone {

// Fills in everything but provenance and inputs. `width` is d: the residual arrays' rows.
void FillReport(const VerifyReport& report, uint32_t width, v1::VerifyResponse* response);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_VERIFY_CALL_VERIFY_MESSAGES_H_
