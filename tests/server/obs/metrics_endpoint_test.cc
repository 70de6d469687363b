#include "server/obs/metrics_endpoint.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// What an HTTP GET on the loopback answers, head and body.
std::string Get(int port, const std::string& path) {
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n");
    EXPECT_EQ(write(connection, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    shutdown(connection, SHUT_WR);
    char buffer[4096];
    for (ssize_t got; (got = read(connection, buffer, sizeof(buffer))) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
  }
  close(connection);
  return answer;
}

TEST(MetricsEndpointTest, ServesTheRegistryOnAFreePort) {
  auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter().Name("heard_total").Help("Things heard.").Register(*registry).Add({}).Increment(5);
  auto endpoint = MetricsEndpoint::Start("127.0.0.1:0", {registry});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  EXPECT_GT((*endpoint)->port(), 0);
  const std::string answer = Get((*endpoint)->port(), "/metrics");
  EXPECT_THAT(
      answer,
      StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n# HELP heard_total Things heard.\n"));
  EXPECT_THAT(answer, HasSubstr("heard_total 5"));
}

TEST(MetricsEndpointTest, ServesEveryCollectableAndNothingOfItsOwn) {
  auto first = std::make_shared<prometheus::Registry>(), second = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter().Name("one_total").Help("One.").Register(*first).Add({});
  prometheus::BuildCounter().Name("two_total").Help("Two.").Register(*second).Add({});
  auto endpoint = MetricsEndpoint::Start("127.0.0.1:0", {first, second});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  for (int scrape = 0; scrape < 2; ++scrape) {
    const std::string answer = Get((*endpoint)->port(), "/metrics");
    EXPECT_THAT(answer.substr(answer.find("\r\n\r\n") + 4),
                "# HELP one_total One.\n# TYPE one_total counter\none_total 0\n"
                "# HELP two_total Two.\n# TYPE two_total counter\ntwo_total 0\n");
  }
}

TEST(MetricsEndpointTest, ServesNoOtherPath) {
  auto endpoint = MetricsEndpoint::Start("127.0.0.1:0", {});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  for (const char* path : {"/", "/metrics/more", "/metricsmore", "/more/metrics", "/etc/passwd"}) {
    EXPECT_THAT(Get((*endpoint)->port(), path), HasSubstr(" 404 Not Found\r\n")) << path;
  }
}

TEST(MetricsEndpointTest, ATakenPortIsAnErrorThatNamesIt) {
  auto first = MetricsEndpoint::Start("127.0.0.1:0", {});
  ASSERT_TRUE(first.ok());
  std::string taken = absl::StrCat("127.0.0.1:", (*first)->port());
  auto second = MetricsEndpoint::Start(taken, {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(taken));
}

}  // namespace
}  // namespace hydrophone
