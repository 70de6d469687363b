#include "server/flags.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/address.h"
#include "server/base/nearest_names.h"

namespace hydrophone {
namespace {

constexpr int kUsageError = 2;

// The environment variable of a flag: "max_batch_tokens" has HYDROPHONE_MAX_BATCH_TOKENS.
std::string EnvironmentName(const std::string& flag) {
  std::string name = "HYDROPHONE_" + flag;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

// Writes one line for each option: "  --listen HOST:PORT (127.0.0.1:50051)   what it does".
class ShortFormatter : public CLI::Formatter {
 public:
  ShortFormatter() { column_width(44); }
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (!option->get_type_name().empty()) text += " " + option->get_type_name();
    if (!option->get_default_str().empty()) text += " (" + option->get_default_str() + ")";
    return text;
  }
};

template <typename T>
CLI::Option* Add(CLI::App& app, const std::string& name, const char* unit, T& value, const char* help) {
  return app.add_option("--" + name, value, help)
      ->envname(EnvironmentName(name))
      ->type_name(unit)
      ->capture_default_str();
}

// Checks the range and names it in the error, but not in the help.
template <typename T>
CLI::Validator Between(T least, T most) {
  return CLI::Range(least, most).description("");
}

// What is wrong with an address; empty when nothing is.
std::string AddressObjection(const std::string& text) { return std::string(ParseAddress(text).status().message()); }

std::string MetricsAddressObjection(const std::string& text) {
  if (text.empty() || text == "off") return "";
  const absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return std::string(address.status().message());
  return address->is_unix() ? "got a socket in the file system, expected HOST:PORT" : "";
}

// A limit from 1 to `most`.
template <typename T>
void AddLimit(CLI::App& app, const std::string& name, const char* unit, T& value, uint64_t most, const char* help) {
  Add(app, name, unit, value, help)->check(Between(uint64_t{1}, most));
}

void AddSwitch(CLI::App& app, const std::string& name, bool& value, const char* help) {
  app.add_flag("--" + name, value, help)->envname(EnvironmentName(name));
}

void AddAccess(CLI::App& app, Flags& flags) {
  Add(app, "tls_certificate", "FILE", flags.tls.certificate,
      "PEM: the server's, then those that lead to its authority's");
  Add(app, "tls_key", "FILE", flags.tls.key, "PEM: of the certificate, without a passphrase");
  Add(app, "tls_client_ca", "FILE", flags.tls.client_ca,
      "PEM: authorities; clients must show a certificate of one of them");
  Add(app, "token_digests", "FILE", flags.token_digests,
      "callers' tokens as SHA-256, one a line: sha256=... name=... [weight= role= requests= tokens_per_second= "
      "bytes_in_flight=]");
  app.add_option("--reflection", flags.reflection,
                 "for whom the services are described: open, operate (tokens with that role), off; by default operate "
                 "with tokens, else open")
      ->envname(EnvironmentName("reflection"))
      ->type_name("MODE")
      ->check(CLI::IsMember({"open", "operate", "off"}).description(""));
  AddSwitch(app, "insecure", flags.insecure,
            "lets it listen beyond this machine without TLS and tokens (or clients' certificates)");
  AddSwitch(app, "insecure_metrics", flags.insecure_metrics, "lets it serve /metrics beyond this machine");
  AddSwitch(app, "check", flags.check, "loads and checks everything that is given, says what it found, and exits");
}

void AddServing(CLI::App& app, Flags& flags) {
  Add(app, "model", "DIR", flags.model, "checkpoint, as Hugging Face saves it");
  Add(app, "model_name", "NAME", flags.model_name, "that requests may state; by default the directory's");
  Add(app, "listen", "ADDRESS", flags.listen, "where to serve gRPC: HOST:PORT (port 0: a free one) or unix:PATH")
      ->check(CLI::Validator(AddressObjection, ""));
  Add(app, "metrics_listen", "ADDRESS", flags.metrics_listen, "where to serve /metrics: HOST:PORT; off: nowhere")
      ->check(CLI::Validator(MetricsAddressObjection, ""));
  Add(app, "device", "DEVICE", flags.device, "what the model computes on: cpu, cuda (the first GPU), cuda:1, ...");
  Add(app, "threads", "N", flags.threads, "for one matrix product; 0: the container's CPU quota")
      ->check(Between(0, 1024));
  Add(app, "awake_microseconds", "MICROSECONDS", flags.awake_microseconds,
      "that a thread stays awake for its part of the next product; 0: it sleeps at once, which leaves processors to "
      "others")
      ->check(Between(0, 1'000'000));
  AddSwitch(app, "copy_weights", flags.copy_weights, "reads weights into memory instead of mapping their files");
  Add(app, "share_prefixes", "BOOL", flags.share_prefixes,
      "computes what inputs of a batch have in common at their beginning once; the bits are the same");
  Add(app, "worker_threads", "N", flags.worker_threads, "that read requests, tokenize and encode")
      ->check(Between(1, 256));
  Add(app, "drain_lag_seconds", "SECONDS", flags.drain_lag_seconds,
      "that the server goes on after SIGTERM, while load balancers see that it is not ready")
      ->check(Between(0.0, 86400.0));
  Add(app, "drain_seconds", "SECONDS", flags.drain_seconds, "that open calls then get to finish")
      ->check(Between(0.0, 86400.0));
  Add(app, "stall_seconds", "SECONDS", flags.stall_seconds,
      "in which a caller must read a message, while others wait for its stream's memory")
      ->check(Between(0.1, 86400.0));
  Add(app, "max_connection_age_seconds", "SECONDS", flags.max_connection_age_seconds,
      "after which a connection's client is asked to connect again; 0: never")
      ->check(Between(0u, 1'000'000u));
  Add(app, "log_level", "LEVEL", flags.log_level,
      "debug (calls' errors too, which may quote requests), info, warning, error, off")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}).description(""));
  Add(app, "log_format", "FORMAT", flags.log_format, "of each line: logfmt, json")
      ->check(CLI::IsMember({"logfmt", "json"}).description(""));
}

void AddLimits(CLI::App& app, Flags& flags) {
  constexpr uint64_t kAny32 = 0x7fffffff;
  constexpr uint64_t kAny64 = uint64_t{1} << 50;
  Limits& limits = flags.limits;
  AddLimit(app, "max_connections", "CONNECTIONS", flags.max_connections, 1'000'000, "open at once");
  AddLimit(app, "max_open_calls", "CALLS", flags.max_open_calls, 1'000'000, "open at once");
  AddLimit(app, "max_queued_requests", "REQUESTS", limits.max_queued_requests, 1'000'000, "waiting for the model");
  AddLimit(app, "max_batch_tokens", "TOKENS", limits.max_batch_tokens, 1 << 24,
           "of runs that must be computed together");
  AddLimit(app, "slice_tokens", "TOKENS", limits.slice_tokens, 1 << 24,
           "from which on a batch is full; larger requests are computed in slices");
  AddLimit(app, "short_tokens", "TOKENS", limits.short_tokens, 1 << 24,
           "of a short request, which may overtake a long one; at most slice_tokens");
  AddLimit(app, "max_queue_seconds", "SECONDS", limits.max_queue_seconds, 1'000'000,
           "that a request waits for its first turn");
  Add(app, "batch_linger_microseconds", "MICROSECONDS", limits.batch_linger_microseconds,
      "that a batch waits for company, at most")
      ->check(Between(0u, 1'000'000u));
  AddLimit(app, "max_tokens_per_request", "TOKENS", limits.max_tokens_per_request, 1 << 24, "of one request");
  AddLimit(app, "max_inputs_per_request", "INPUTS", limits.max_inputs_per_request, kAny32, "of one request");
  AddLimit(app, "max_hooks_per_request", "HOOKS", limits.max_hooks_per_request, kAny32,
           "hook points and hooks of one request");
  AddLimit(app, "max_tensors_per_request", "TENSORS", limits.max_tensors_per_request, kAny32,
           "that one request may ask for");
  AddLimit(app, "max_request_bytes", "BYTES", limits.max_request_bytes, uint64_t{1} << 29, "one request message");
  AddLimit(app, "max_request_elements", "ELEMENTS", limits.max_request_elements, kAny32,
           "messages and list elements in one request");
  AddLimit(app, "max_response_bytes", "BYTES", limits.max_response_bytes, kAny64, "captured for one request");
  AddLimit(app, "response_budget_bytes", "BYTES", limits.response_budget_bytes, kAny64,
           "captured for all requests together; by default at most what weights and program leave of the memory");
  // The lower bound is what the longest InputInfo and VIEW_FLOATS' 65536 elements need, which are never cut.
  Add(app, "max_message_bytes", "BYTES", limits.max_message_bytes, "one message of a stream, from 512 KiB to 4 MiB")
      ->check(Between(uint64_t{1} << 19, uint64_t{4} << 20));
  AddLimit(app, "max_reference_tokens", "TOKENS", limits.max_reference_tokens, kAny32,
           "that Verify's reference runs on");
}

// The arguments from the last to the first, as CLI11 takes them. "--flag=" becomes a flag and an empty value, because
// CLI11 would call the value missing.
std::vector<std::string> Arguments(int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string argument = argv[i];
    if (argument.size() > 3 && argument.compare(0, 2, "--") == 0 && argument.back() == '=') {
      arguments.emplace_back();
      argument.pop_back();
    }
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

// Lowers a limit that was left at its default to the one that bounds it; a given one that is above it is an error.
template <typename T>
void BoundLimit(const CLI::App& app, const std::string& name, T& value, const std::string& bound_name, T bound) {
  if (value <= bound) return;
  if (app.get_option("--" + name)->count() > 0) {
    throw CLI::ValidationError("--" + name, absl::StrCat("got ", value, ", above --", bound_name, ", which is ", bound,
                                                         "; expected at most that"));
  }
  value = bound;
}

void Refuse(const std::string& name, const std::string& why) { throw CLI::ValidationError("--" + name, why); }

void CheckCertificates(const CertificateFiles& tls) {
  if (tls.certificate.empty() && !tls.key.empty()) Refuse("tls_key", "got a key, expected --tls_certificate beside it");
  if (tls.key.empty() && !tls.certificate.empty()) {
    Refuse("tls_certificate", "got a certificate, expected --tls_key beside it");
  }
  if (tls.certificate.empty() && !tls.client_ca.empty()) {
    Refuse("tls_client_ca", "got an authority of clients, expected --tls_certificate and --tls_key beside it");
  }
}

// Whether callers' connections are secret, and it is known on whose behalf they are made.
bool IsClosed(const Flags& flags) {
  return !flags.tls.certificate.empty() && (!flags.token_digests.empty() || !flags.tls.client_ca.empty());
}

// Refuses what others could reach without being asked for anything, unless that was said by name.
void CheckReach(Flags& flags) {
  if (!ParseAddress(flags.listen)->is_loopback() && !IsClosed(flags)) {
    if (!flags.insecure) {
      Refuse("listen", absl::StrCat("got ", flags.listen,
                                    ", which other machines reach, without TLS and tokens; expected either "
                                    "--tls_certificate and --tls_key with --token_digests (or --tls_client_ca), or "
                                    "--insecure"));
    }
    flags.warnings.push_back(absl::StrCat("--insecure: other machines reach ", flags.listen,
                                          ", and what TLS and tokens would keep from them is open"));
  }
  const bool metrics = !flags.metrics_listen.empty() && flags.metrics_listen != "off";
  if (metrics && !ParseAddress(flags.metrics_listen)->is_loopback()) {
    if (!flags.insecure_metrics) {
      Refuse("metrics_listen", absl::StrCat("got ", flags.metrics_listen,
                                            ", which other machines reach; expected an address of this machine, "
                                            "which a proxy may stand before, or --insecure_metrics"));
    }
    flags.warnings.push_back(absl::StrCat("--insecure_metrics: other machines read ", flags.metrics_listen));
  }
}

void CheckAccess(Flags& flags) {
  CheckCertificates(flags.tls);
  if (flags.reflection == "operate" && flags.token_digests.empty()) {
    Refuse("reflection", "got operate, a role that only tokens have; expected --token_digests beside it");
  }
  if (flags.reflection.empty()) flags.reflection = flags.token_digests.empty() ? "open" : "operate";
  CheckReach(flags);
}

// Variables named HYDROPHONE_... that no flag reads. Those that Kubernetes makes of a Service called "hydrophone", and
// those of the clients and of the project's scripts and tests, are no mistakes.
std::vector<std::string> UnknownVariables(const CLI::App& app) {
  std::vector<std::string> known = {"HYDROPHONE_SERVER",    "HYDROPHONE_SERVER_BINARY", "HYDROPHONE_TIMEOUT",
                                    "HYDROPHONE_TOKEN",     "HYDROPHONE_TLS",           "HYDROPHONE_TLS_CA",
                                    "HYDROPHONE_BUILD_DIR", "HYDROPHONE_CACHE"};
  for (const CLI::Option* option : app.get_options()) known.push_back(option->get_envname());
  std::vector<std::string> warnings;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string name(absl::string_view(*variable).substr(0, absl::string_view(*variable).find('=')));
    if (!absl::StartsWith(name, "HYDROPHONE_") || std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (absl::StartsWith(name, "HYDROPHONE_SERVICE_") || absl::StartsWith(name, "HYDROPHONE_PORT")) continue;
    if (absl::StartsWith(name, "HYDROPHONE_TEST_")) continue;
    const std::vector<std::string> nearest = NearestNames(name, known, 1);
    warnings.push_back(absl::StrCat("no flag reads the environment variable ", absl::Utf8SafeCHexEscape(name),
                                    nearest.empty() ? "" : "; the nearest is ", absl::StrJoin(nearest, "")));
  }
  return warnings;
}

}  // namespace

std::optional<Flags> ParseFlags(int argc, const char* const* argv, const std::string& default_model,
                                const std::string& version, int* exit_code) {
  Flags flags;
  flags.model = default_model;
  CLI::App app(
      "Hydrophone: serves activations of a GPT-2 checkpoint over gRPC.\n"
      "Each flag is also an environment variable: --listen is HYDROPHONE_LISTEN. A flag wins.");
  app.formatter(std::make_shared<ShortFormatter>());
  app.set_help_flag("--help", "prints this and exits");
  app.set_version_flag("--version", version, "prints the version and exits");
  AddServing(app, flags);
  AddAccess(app, flags);
  AddLimits(app, flags);
  try {
    app.parse(Arguments(argc, argv));
    Limits& limits = flags.limits;
    BoundLimit(app, "slice_tokens", limits.slice_tokens, "max_batch_tokens", limits.max_batch_tokens);
    BoundLimit(app, "short_tokens", limits.short_tokens, "slice_tokens", limits.slice_tokens);
    flags.given.response_budget_bytes = app.get_option("--response_budget_bytes")->count() > 0;
    CheckAccess(flags);
  } catch (const CLI::ParseError& end) {  // thrown for --help and --version too
    *exit_code = app.exit(end) == 0 ? 0 : kUsageError;
    return std::nullopt;
  }
  if (flags.metrics_listen == "off") flags.metrics_listen.clear();
  const std::vector<std::string> unknown = UnknownVariables(app);
  flags.warnings.insert(flags.warnings.end(), unknown.begin(), unknown.end());
  return flags;
}

}  // namespace hydrophone
