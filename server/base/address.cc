#include "server/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace hydrophone {
namespace {

constexpr uint32_t kMostPort = 65535;

absl::Status Refuse(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("got \"", absl::Utf8SafeCHexEscape(text), "\", ", why,
                                                 "; expected HOST:PORT, [IPv6]:PORT or unix:PATH"));
}

bool IsHostName(absl::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
  });
}

bool IsIpv6(absl::string_view host) {
  return absl::StrContains(host, ':') && std::all_of(host.begin(), host.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == ':' || c == '.' || c == '%';
         });
}

absl::StatusOr<uint16_t> ParsePort(absl::string_view text, absl::string_view port) {
  uint32_t number = 0;
  if (port.empty() || port.size() > 9 || !std::all_of(port.begin(), port.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(port, &number)) {
    return Refuse(text, "which has no port");
  }
  if (number > kMostPort) return Refuse(text, absl::StrCat("a port above ", kMostPort));
  return static_cast<uint16_t>(number);
}

}  // namespace

bool Address::is_loopback() const {
  if (is_unix() || host == "localhost") return true;
  in6_addr six = {};
  if (inet_pton(AF_INET6, host.c_str(), &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six);
  // "127.0.0.1.example" is a name like any other.
  in_addr four = {};
  return inet_pton(AF_INET, host.c_str(), &four) == 1 && ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
}

std::string Address::text() const {
  if (is_unix()) return absl::StrCat("unix:", unix_path);
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  Address address;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    absl::ConsumePrefix(&rest, "//");
    if (rest.empty()) return Refuse(text, "which has no path");
    address.unix_path = std::string(rest);
    return address;
  }
  if (absl::StrContains(text, "://")) return Refuse(text, "a URL");
  const size_t colon = text.rfind(':');
  const bool bracketed = absl::StartsWith(text, "[");
  if (colon == absl::string_view::npos || (bracketed && colon < text.rfind(']'))) {
    return Refuse(text, "which has no port");
  }
  absl::string_view host = text.substr(0, colon);
  if (bracketed && (!absl::ConsumePrefix(&host, "[") || !absl::ConsumeSuffix(&host, "]") || !IsIpv6(host))) {
    return Refuse(text, "which has no IPv6 address in its brackets");
  }
  if (!bracketed && IsIpv6(host)) return Refuse(text, "an IPv6 address without brackets");
  if (!bracketed && !IsHostName(host)) return Refuse(text, "which has no host");
  const absl::StatusOr<uint16_t> port = ParsePort(text, text.substr(colon + 1));
  if (!port.ok()) return port.status();
  address.host = std::string(host);
  address.port = *port;
  return address;
}

}  // namespace hydrophone
