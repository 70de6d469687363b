// How connections are secured.
#ifndef HYDROPHONE_SERVER_RPC_SERVER_CREDENTIALS_H_
#define HYDROPHONE_SERVER_RPC_SERVER_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "server/access/certificates.h"

namespace hydrophone {

// TLS 1.2 or later with `certificates`, which outlive the server; each new connection gets those that are in force
// then. With client_ca_pem, a client must show a certificate of one of its authorities. Null: plaintext.
//
// What this returns must live as long as the server. A port and an external acceptor may share it: each gets a
// configuration of its own.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(Certificates* certificates);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_SERVER_CREDENTIALS_H_
