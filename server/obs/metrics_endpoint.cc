#include "server/obs/metrics_endpoint.h"

#include <exception>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(
    const std::string& listen, std::shared_ptr<prometheus::Registry> registry) {
  try {
    return absl::WrapUnique(
        new MetricsEndpoint(std::make_unique<prometheus::Exposer>(listen, /*num_threads=*/2), std::move(registry)));
  } catch (const std::exception& error) {  // civetweb's constructor has no other way to fail
    return absl::UnavailableError(
        absl::StrCat("cannot serve metrics on \"", listen, "\": is the address free? (", error.what(), ")"));
  }
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer,
                                 std::shared_ptr<prometheus::Registry> registry)
    : registry_(std::move(registry)), exposer_(std::move(exposer)) {
  exposer_->RegisterCollectable(registry_);
}

}  // namespace hydrophone
