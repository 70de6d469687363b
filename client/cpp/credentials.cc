#include "client/cpp/credentials.h"

#include "absl/strings/str_cat.h"
#include "server/base/address.h"
#include "server/base/bearer_token.h"

namespace hydrophone::client {
namespace {

// Names that gRPC resolves in ways of its own may lead anywhere.
bool StaysHere(const std::string& address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  return parsed.ok() && parsed->is_loopback();
}

}  // namespace

absl::Status CheckCredentials(const Credentials& credentials, const std::string& address) {
  const std::optional<TlsOptions>& tls = credentials.tls;
  if (tls && tls->certificate_pem.empty() != tls->key_pem.empty()) {
    return absl::InvalidArgumentError("got one of the client's certificate and its key, expected both or none");
  }
  if (credentials.token.empty()) return absl::OkStatus();
  if (!IsBearerToken(credentials.token)) {
    return absl::InvalidArgumentError("token: got other characters, expected letters, digits and -._~+/=");
  }
  if (tls || credentials.insecure || StaysHere(address)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the token would go to ", address, " in plaintext, for everyone on the way to read; nothing was sent"));
}

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsOf(const Credentials& credentials) {
  if (!credentials.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = credentials.tls->ca_pem;
  options.pem_cert_chain = credentials.tls->certificate_pem;
  options.pem_private_key = credentials.tls->key_pem;
  return grpc::SslCredentials(options);
}

void AddToken(const Credentials& credentials, grpc::ClientContext* context) {
  if (!credentials.token.empty()) context->AddMetadata("authorization", absl::StrCat("Bearer ", credentials.token));
}

}  // namespace hydrophone::client
