// What `hydrophone verify` prints.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_VERIFY_REPORT_H_
#define HYDROPHONE_CLIENT_CPP_CLI_VERIFY_REPORT_H_

#include <ostream>
#include <string>
#include <vector>

#include "client/cpp/cli/display/style.h"
#include "client/cpp/reconstruction.h"
#include "hydrophone/v1/verify.pb.h"

namespace hydrophone::client {

// What the client measured, a layer each, in the order of the server's report.
struct OwnReconstructions {
  std::vector<Reconstruction> layers;  // with the deltas as the residual stream takes them up

  // Train mode: with the deltas at c_proj, before their dropouts, where the sum does not close. Empty in eval mode.
  std::vector<Reconstruction> at_c_proj;
};

// The server's report beside the client's own reconstruction of the same layers.
class VerifyReport {
 public:
  VerifyReport(const v1::VerifyResponse& server, OwnReconstructions client);

  // Every layer's residual is, to the last digit of its maximum, what the server said; and it is
  // bitwise zero for one if for the other.
  bool agree() const;

  // The server's checks passed, the client's reconstruction is bitwise, and the two agree.
  bool passed() const;

  std::string Text(const Style& style = {}) const;
  std::string Json() const;

 private:
  bool AgreeOn(int index) const;
  bool ClientBitwise() const;
  bool train_mode() const { return !client_.at_c_proj.empty(); }
  void PrintLayers(const Style& style, std::ostream& out) const;

  const v1::VerifyResponse& server_;
  const OwnReconstructions client_;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_VERIFY_REPORT_H_
