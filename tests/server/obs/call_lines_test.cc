#include "server/obs/call_lines.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "tests/fakes/fake_metrics.h"
#include "tests/fakes/signal.h"

namespace hydrophone {
namespace {

CallRecord Named(const std::string& id) {
  CallRecord call;
  call.request_id = id;
  return call;
}

TEST(CallLinesTest, EveryLineThatWaitsIsWrittenBeforeTheEnd) {
  FakeMetrics metrics;
  std::vector<std::string> written;
  {
    CallLines lines(&metrics, 8192, [&](const CallRecord& call) { written.push_back(call.request_id); });
    for (int i = 0; i < 100; ++i) lines.CallEnded(Named(std::to_string(i)));
  }
  ASSERT_EQ(written.size(), 100u);
  EXPECT_EQ(written[0], "0");
  EXPECT_EQ(written[99], "99");
  EXPECT_EQ(metrics.lines_dropped(), 0);
}

TEST(CallLinesTest, AFlushEndsWhenEveryLineIsWritten) {
  FakeMetrics metrics;
  std::atomic<int> written = 0;
  CallLines lines(&metrics, 8192, [&](const CallRecord&) { ++written; });
  lines.Flush();  // of none
  for (int calls = 10; calls <= 30; calls += 10) {
    for (int i = 0; i < 10; ++i) lines.CallEnded(Named(std::to_string(i)));
    lines.Flush();
    EXPECT_EQ(written, calls);
  }
}

TEST(CallLinesTest, APipeThatIsNotReadHoldsUpNoCallAndLosesCountedLines) {
  FakeMetrics metrics;
  Signal writing{"a line is being written"}, read{"the pipe is read"};
  std::vector<std::string> written;
  {
    CallLines lines(&metrics, 2, [&](const CallRecord& call) {
      written.push_back(call.request_id);
      writing.Raise();
      read.Await();
    });
    lines.CallEnded(Named("stuck"));
    writing.Await();
    for (const char* id : {"a", "b", "c", "d"}) lines.CallEnded(Named(id));
    EXPECT_EQ(metrics.lines_dropped(), 2);
    read.Raise();
  }
  EXPECT_EQ(written, (std::vector<std::string>{"stuck", "a", "b"}));
}

}  // namespace
}  // namespace hydrophone
