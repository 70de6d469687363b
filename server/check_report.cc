#include "server/check_report.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace hydrophone {
namespace {

std::string Line(absl::string_view what, absl::string_view text) { return absl::StrCat(what, ": ", text, "\n"); }

std::string Tls(const CertificateFiles& files, Certificates* certificates) {
  if (certificates == nullptr) return "none";
  const auto set = certificates->Current();
  return absl::StrCat(set->subject, ", valid until ", absl::FormatTime(set->valid_until, absl::UTCTimeZone()),
                      files.client_ca.empty() ? "" : ", clients' certificates are asked for");
}

}  // namespace

std::string CheckReport(const Flags& flags, const ModelInfo& model, const Access* access, Certificates* certificates) {
  const Limits& limits = flags.limits;
  return absl::StrCat(
      Line("model", absl::StrCat(model.name, ", ", model.parameters, " parameters, computes")),
      Line("weights_sha256", model.weights_sha256), Line("would listen on", flags.listen),
      Line("would serve metrics on", flags.metrics_listen.empty() ? "nothing" : flags.metrics_listen),
      Line("tls", Tls(flags.tls, certificates)),
      Line("tokens", access == nullptr ? "none" : absl::StrCat(access->tokens())), Line("reflection", flags.reflection),
      Line("largest request", absl::StrCat(limits.max_tokens_per_request, " tokens, ", limits.max_response_bytes,
                                           " bytes of captures of a budget of ", limits.response_budget_bytes)),
      "ready to serve\n");
}

}  // namespace hydrophone
