// The server's command line: every option, its unit, its default, and its environment variable.
#ifndef HYDROPHONE_SERVER_FLAGS_H_
#define HYDROPHONE_SERVER_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "server/access/certificates.h"
#include "server/container/memory_fit.h"
#include "server/core/limits.h"

namespace hydrophone {

struct Flags {
  std::string model;                              // the checkpoint's directory
  std::string model_name;                         // empty: the directory's
  std::string listen = "127.0.0.1:50051";         // as ParseAddress takes it
  std::string metrics_listen = "127.0.0.1:9464";  // the same; empty, or "off" on the command line: no metrics port
  CertificateFiles tls;                           // all empty: plaintext
  std::string token_digests;                      // a file as ParseTokenFile takes it; empty: no tokens
  std::string reflection;                         // "off", "operate" or "open"; never empty once read
  bool insecure = false;
  bool insecure_metrics = false;
  bool check = false;  // what is given is to be checked, and nothing listened on
  std::string device = "cpu";
  int threads = 0;
  int awake_microseconds = 50;
  bool copy_weights = false;
  bool share_prefixes = true;
  int worker_threads = 2;
  int max_connections = 16384;
  int max_open_calls = 1024;
  double drain_lag_seconds = 0;
  double drain_seconds = 25;
  double stall_seconds = 10;
  uint32_t max_connection_age_seconds = 1800;  // 0: connections have no age
  std::string log_level = "info";
  std::string log_format = "logfmt";
  Limits limits;
  GivenLimits given;

  // What is to be logged once: environment variables that look like a flag's and are none.
  std::vector<std::string> warnings;
};

// Reads the command line, and HYDROPHONE_<FLAG> for each flag that it leaves out. `version` is what --version prints.
// Returns nothing when the program is to exit with *exit_code: 0 after --help or --version, which went to stdout; 2
// after a mistake, which was explained on stderr: a limit above another one that bounds it (see Limits) is such a
// mistake if it was given, and is lowered to that one if it is a default.
std::optional<Flags> ParseFlags(int argc, const char* const* argv, const std::string& default_model,
                                const std::string& version, int* exit_code);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_FLAGS_H_
