#include "server/obs/metrics_endpoint.h"

#include <prometheus/text_serializer.h>

#include <exception>
#include <iterator>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(const std::string& listen,
                                                                        Collectables collectables) {
  try {
    return absl::WrapUnique(new MetricsEndpoint(listen, std::move(collectables)));
  } catch (const std::exception& error) {  // civetweb's constructor has no other way to fail
    return absl::UnavailableError(
        absl::StrCat("cannot serve metrics on \"", listen, "\": is the address free? (", error.what(), ")"));
  }
}

MetricsEndpoint::MetricsEndpoint(const std::string& listen, Collectables collectables)
    : page_(std::move(collectables)), server_(std::vector<std::string>{"listening_ports", listen, "num_threads", "2"}) {
  server_.addHandler("/metrics$", page_);  // this path alone, and none below it
}

bool MetricsEndpoint::Page::handleGet(CivetServer*, mg_connection* connection) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& collectable : collectables_) {
    std::vector<prometheus::MetricFamily> more = collectable->Collect();
    families.insert(families.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  const std::string body = prometheus::TextSerializer().Serialize(families);
  const std::string head =
      absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nConnection: close\r\n",
                   "Content-Length: ", body.size(), "\r\n\r\n");
  mg_write(connection, head.data(), head.size());
  mg_write(connection, body.data(), body.size());
  return true;
}

}  // namespace hydrophone
