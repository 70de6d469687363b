#include "client/cpp/cli/access_options.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/bearer_token.h"
#include "server/base/messages.h"
#include "server/base/read_file.h"

namespace hydrophone::client {
namespace {

constexpr uint64_t kMostFileBytes = uint64_t{4} << 20;

// The text of a PEM file that holds an object of the kind `label`.
absl::StatusOr<std::string> ReadPem(const std::string& option, const std::string& path, absl::string_view label) {
  absl::StatusOr<std::string> text = ReadWholeFile(path, kMostFileBytes);
  if (text.ok() && !absl::StrContains(*text, absl::StrCat(label, "-----"))) {
    text = absl::InvalidArgumentError(
        absl::StrCat("got a file without it, expected PEM with \"-----BEGIN ", label, "-----\""));
  }
  if (!text.ok()) return Annotate(text.status(), absl::StrCat(option, " ", path));
  return text;
}

absl::StatusOr<TlsOptions> ReadTls(const AccessOptions& options) {
  const struct {
    const char* option;
    const std::string& path;
    const char* label;
    std::string TlsOptions::*text;
  } files[] = {{"--tls_ca", options.tls_ca, "CERTIFICATE", &TlsOptions::ca_pem},
               {"--tls_certificate", options.tls_certificate, "CERTIFICATE", &TlsOptions::certificate_pem},
               {"--tls_key", options.tls_key, "PRIVATE KEY", &TlsOptions::key_pem}};
  TlsOptions tls;
  for (const auto& file : files) {
    if (file.path.empty()) continue;
    absl::StatusOr<std::string> text = ReadPem(file.option, file.path, file.label);
    if (!text.ok()) return text.status();
    tls.*file.text = *std::move(text);
  }
  return tls;
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  if (path.empty()) {
    const char* given = std::getenv("HYDROPHONE_TOKEN");
    std::string token = given == nullptr ? "" : given;
    if (token.empty() || IsBearerToken(token)) return token;
    return absl::InvalidArgumentError(
        "HYDROPHONE_TOKEN: got other characters, expected a token of letters, digits and -._~+/=");
  }
  const absl::StatusOr<std::string> text = ReadWholeFile(path, kMostFileBytes);
  if (!text.ok()) return Annotate(text.status(), absl::StrCat("--token_file ", path));
  std::string token(absl::StripAsciiWhitespace(*text));
  if (IsBearerToken(token)) return token;
  return absl::InvalidArgumentError(absl::StrCat("--token_file ", path, ": got ",
                                                 token.empty() ? "an empty file" : "other characters",
                                                 ", expected one token of letters, digits and -._~+/="));
}

}  // namespace

void AddAccessOptions(CLI::App& app, AccessOptions* options) {
  app.add_flag("--tls", options->tls,
               "Connect with TLS; the server's certificate must be of an authority that is trusted")
      ->envname("HYDROPHONE_TLS");
  app.add_option("--tls_ca", options->tls_ca,
                 "PEM file of the authorities to trust instead of the system's; implies --tls")
      ->envname("HYDROPHONE_TLS_CA");
  CLI::Option* certificate = app.add_option("--tls_certificate", options->tls_certificate,
                                            "PEM file of a certificate of one's own, for servers that ask for one");
  CLI::Option* key = app.add_option("--tls_key", options->tls_key, "PEM file of that certificate's key");
  certificate->needs(key);
  key->needs(certificate);
  app.add_option(
      "--token_file", options->token_file,
      "File that holds the token to show the server, readable for its owner alone; else HYDROPHONE_TOKEN has it");
  app.add_flag("--insecure", options->insecure, "Send the token to another machine although nothing keeps it secret");
}

absl::StatusOr<Credentials> ReadCredentials(const AccessOptions& options, const std::string& server) {
  Credentials credentials;
  credentials.insecure = options.insecure;
  if (options.tls || !options.tls_ca.empty() || !options.tls_certificate.empty()) {
    absl::StatusOr<TlsOptions> tls = ReadTls(options);
    if (!tls.ok()) return tls.status();
    credentials.tls = *std::move(tls);
  }
  absl::StatusOr<std::string> token = ReadToken(options.token_file);
  if (!token.ok()) return token.status();
  credentials.token = *std::move(token);
  const absl::Status fit = CheckCredentials(credentials, server);
  if (absl::IsFailedPrecondition(fit)) {
    return absl::FailedPreconditionError(
        absl::StrCat(fit.message(), "; --tls keeps it secret, --insecure sends it all the same"));
  }
  if (!fit.ok()) return fit;
  return credentials;
}

std::string AccessAdvice(const absl::Status& status, const Credentials& credentials) {
  if (absl::IsUnauthenticated(status))
    return "  --token_file names a file with a token, or HYDROPHONE_TOKEN holds one\n";
  if (!absl::IsUnavailable(status)) return "";
  const absl::string_view message = status.message();
  if (!credentials.tls) {
    return absl::StrContains(message, "connections to all") || absl::StrContains(message, "Socket closed") ||
                   absl::StrContains(message, "reset")
               ? "  perhaps the server wants TLS: --tls, --tls_ca\n"
               : "";
  }
  if (absl::StrContains(message, "CERTIFICATE_VERIFY_FAILED") ||
      absl::StrContains(message, "certificate verify failed")) {
    return "  the server's certificate is of no authority that is trusted here: --tls_ca names a file with another\n";
  }
  if (absl::StrContains(message, "not in peer certificate") || absl::StrContains(message, "Hostname Verification")) {
    return "  the server's certificate is not for the name in --server\n";
  }
  return "  the connection is to be TLS; perhaps the server speaks plaintext, or wants --tls_certificate and "
         "--tls_key\n";
}

}  // namespace hydrophone::client
