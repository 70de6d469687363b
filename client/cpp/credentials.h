// How a client shows whose calls it makes, and how its connections are secured.
#ifndef HYDROPHONE_CLIENT_CPP_CREDENTIALS_H_
#define HYDROPHONE_CLIENT_CPP_CREDENTIALS_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/security/credentials.h"

namespace hydrophone::client {

// The texts of PEM files.
struct TlsOptions {
  std::string ca_pem = "";           // authorities that a server's certificate may come from; empty: the system's
  std::string certificate_pem = "";  // the client's own, for servers that ask for one; empty: none
  std::string key_pem = "";          // of the client's certificate
};

struct Credentials {
  std::optional<TlsOptions> tls = std::nullopt;  // nullopt: plaintext
  std::string token = "";                        // sent with each call as "authorization: Bearer TOKEN"; empty: none
  bool insecure = false;                         // a token may go to another machine in plaintext
};

// FAILED_PRECONDITION when the token would leave this machine in plaintext and that is not `insecure`; INVALID_ARGUMENT
// when it is none that fits in a header, or of certificate and key one is missing. Messages hold nothing of the token.
absl::Status CheckCredentials(const Credentials& credentials, const std::string& address);

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsOf(const Credentials& credentials);

// Adds the token, if there is one, to a call.
void AddToken(const Credentials& credentials, grpc::ClientContext* context);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CREDENTIALS_H_
