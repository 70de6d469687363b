// What `hydrophone verify` prints.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_VERIFY_REPORT_H_
#define HYDROPHONE_CLIENT_CPP_CLI_VERIFY_REPORT_H_

#include <string>
#include <vector>

#include "client/cpp/reconstruction.h"
#include "hydrophone/v1/verify.pb.h"

namespace hydrophone::client {

// The server's report beside the client's own reconstruction of the same layers, in the same order.
class VerifyReport {
 public:
  VerifyReport(const v1::VerifyResponse& server, std::vector<Reconstruction> client);

  // Every layer's residual is, to the last digit of its maximum, what the server said; and it is
  // bitwise zero for one if for the other.
  bool agree() const;

  // The server's checks passed, the client's reconstruction is bitwise, and the two agree.
  bool passed() const;

  std::string Text() const;
  std::string Json() const;

 private:
  bool AgreeOn(int index) const;
  bool ClientBitwise() const;

  const v1::VerifyResponse& server_;
  const std::vector<Reconstruction> client_;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_VERIFY_REPORT_H_
