// The server's certificate and key, and the authority that clients' certificates must come from.
#ifndef HYDROPHONE_SERVER_ACCESS_CERTIFICATES_H_
#define HYDROPHONE_SERVER_ACCESS_CERTIFICATES_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/access/watched_files.h"
#include "server/base/mutex.h"
#include "server/sched/clock.h"

namespace hydrophone {

// Paths of PEM files.
struct CertificateFiles {
  std::string certificate;  // the server's, then those that lead to its authority's
  std::string key;          // of the server's certificate, without a passphrase
  std::string client_ca;  // authorities, one of which must have signed a client's certificate; empty: none is asked for
};

// What the files hold, checked: the key is the certificate's, and the certificate is valid now.
struct CertificateSet {
  std::string certificate_pem;
  std::string key_pem;
  std::string client_ca_pem;  // empty: clients need no certificate
  std::string subject;        // of the server's certificate: "CN=lab"
  absl::Time valid_until;
};

// INVALID_ARGUMENT, naming the file, what was got and what was expected; errors of reading as ReadWholeFile's, with the
// path. Nothing of a key is ever in a message.
absl::StatusOr<CertificateSet> ReadCertificates(const CertificateFiles& files, absl::Time now);

// The files' certificates, read again when the files change. Thread-safe.
class Certificates {
 public:
  // Told of each change of the files: OK, or why the certificates from before stay in force: a key that is not yet, or
  // no longer, the certificate's, for instance. Called with a mutex held: it does not call back.
  using OnReload = std::function<void(const absl::Status& status)>;

  // `clock` outlives this.
  static absl::StatusOr<std::unique_ptr<Certificates>> Load(const CertificateFiles& files, const Clock* clock,
                                                            OnReload on_reload);

  // The certificates in force: the same object until they change.
  std::shared_ptr<const CertificateSet> Current() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Certificates(const CertificateFiles& files, const Clock* clock, OnReload on_reload);
  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const CertificateFiles files_;
  const Clock* const clock_;
  const OnReload on_reload_;
  Mutex mutex_;
  WatchedFiles watched_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const CertificateSet> current_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ACCESS_CERTIFICATES_H_
