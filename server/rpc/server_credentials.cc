// gRPC 1.51's FileWatcherCertificateProvider frees the old certificates before it tries the new ones: a key that is not
// the certificate's leaves its server without any. gRPC's older way asks for certificates at each connection, and keeps
// the old ones when it gets no new ones; its C++ API has no name for it, so the class below is one.
#include "server/rpc/server_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>
#include <vector>

namespace hydrophone {
namespace {

// What one listener has been given. gRPC calls it from one thread at a time.
class Fetcher {
 public:
  explicit Fetcher(Certificates* certificates) : certificates_(certificates) {}

  // gRPC takes the configuration that it is given, and destroys it.
  static grpc_ssl_certificate_config_reload_status Fetch(void* fetcher, grpc_ssl_server_certificate_config** config) {
    return static_cast<Fetcher*>(fetcher)->FetchNew(config);
  }

 private:
  grpc_ssl_certificate_config_reload_status FetchNew(grpc_ssl_server_certificate_config** config) {
    std::shared_ptr<const CertificateSet> current = certificates_->Current();
    if (current == given_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {current->key_pem.c_str(), current->certificate_pem.c_str()};
    // gRPC wants some authorities even where no client is asked for a certificate, which leaves them unused.
    const std::string& authorities = current->client_ca_pem.empty() ? current->certificate_pem : current->client_ca_pem;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    given_ = std::move(current);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  Certificates* const certificates_;
  std::shared_ptr<const CertificateSet> given_;
};

class ReloadedTls final : public grpc::ServerCredentials {
 public:
  explicit ReloadedTls(Certificates* certificates) : certificates_(certificates) {}

  // Tokens are looked at by each operation, where a refusal can carry its details.
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    fetchers_.push_back(std::make_unique<Fetcher>(certificates_));
    const bool asks_clients = !certificates_->Current()->client_ca_pem.empty();
    grpc_ssl_server_credentials_options* options = grpc_ssl_server_credentials_create_options_using_config_fetcher(
        asks_clients ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                     : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
        &Fetcher::Fetch, fetchers_.back().get());
    grpc_server_credentials* credentials = grpc_ssl_server_credentials_create_with_options(options);
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }

  Certificates* const certificates_;
  std::vector<std::unique_ptr<Fetcher>> fetchers_;  // one a listener
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(Certificates* certificates) {
  if (certificates == nullptr) return grpc::InsecureServerCredentials();
  return std::make_shared<ReloadedTls>(certificates);
}

}  // namespace hydrophone
