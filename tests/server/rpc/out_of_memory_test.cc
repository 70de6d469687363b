// Memory runs out on the server's threads: the call is refused, and the server goes on.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/core/errors.h"
#include "server/rpc/status.h"
#include "tests/fakes/failing_allocations.h"
#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

constexpr size_t kLarge = 32 << 10;  // larger than what gRPC itself asks for in these tests, bytes
constexpr int kManyInputs = 2000;    // a list of which takes more than that

class OutOfMemoryTest : public RpcFixture {
 protected:
  OutOfMemoryTest() {
    FailingAllocations::SpareThisThread();  // the client's
    engine_.on_run = [] { FailingAllocations::SpareThisThread(); };
  }

  void FailFromNowOn() {
    const MutexLock lock(&mutex_);
    failing_.emplace(kLarge);
  }

  // The same on the engine's thread, the first time that it is called.
  void FailOnce() {
    if (!failed_once_.exchange(true)) FailFromNowOn();
  }

  static void ExpectOutOfMemory(const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
    EXPECT_EQ(ReasonOf(status), "OUT_OF_MEMORY");
    EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(status)->retry_delay().seconds(), 1);
  }

  // That allocations did fail, and that the server answers as ever once there is memory.
  void ExpectItGoesOn() {
    {
      const MutexLock lock(&mutex_);
      ASSERT_TRUE(failing_.has_value());
      EXPECT_GT(failing_->failed(), 0u);
      failing_.reset();
    }
    const Streamed streamed = Extract(TextRequest("ab"));
    EXPECT_TRUE(streamed.status.ok()) << streamed.status.error_message();
    EXPECT_EQ(streamed.Count(v1::ExtractResponse::kTrailer), 1u);
  }

  static v1::ExtractRequest LargeRequest() {
    v1::ExtractRequest request;
    for (int i = 0; i < kManyInputs; ++i) request.add_texts("abc");
    request.add_hook_points("hook_resid_pre");
    request.set_layout(v1::LAYOUT_ROWS);
    return request;
  }

  Mutex mutex_;
  std::optional<FailingAllocations> failing_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> failed_once_ = false;
};

TEST_F(OutOfMemoryTest, InAUnaryCallsTaskRefusesTheCall) {
  Start();
  v1::TokenizeRequest request;
  request.add_texts(std::string(2 * kLarge, 'x'));
  FailFromNowOn();
  grpc::ClientContext context;
  v1::TokenizeResponse response;
  ExpectOutOfMemory(client_->Tokenize(&context, request, &response));
  ExpectItGoesOn();
}

TEST_F(OutOfMemoryTest, WhileAStreamIsAdmittedRefusesTheCall) {
  Start();
  FailFromNowOn();
  const Streamed streamed = Extract(LargeRequest());
  ExpectOutOfMemory(streamed.status);
  EXPECT_TRUE(streamed.messages.empty());
  ExpectItGoesOn();
}

TEST_F(OutOfMemoryTest, WhileAMessageIsEncodedCutsTheStreamAndGivesItsCapturesBack) {
  v1::ExtractRequest request = LargeRequest();
  request.set_dtype(v1::DTYPE_FLOAT16);  // other elements than the captured ones need memory
  engine_.before_capture = [this](size_t) { FailOnce(); };
  Start();
  const Streamed streamed = Extract(request);
  ExpectOutOfMemory(streamed.status);
  EXPECT_EQ(streamed.Count(v1::ExtractResponse::kHeader), 1u);
  EXPECT_EQ(streamed.Count(v1::ExtractResponse::kTrailer), 0u);
  ExpectItGoesOn();
}

TEST_F(OutOfMemoryTest, BetweenTwoStepsOfAContinuationEndsTheCall) {
  v1::ExtractRequest request = LargeRequest();
  request.set_max_new_tokens(3);
  engine_.before_capture = [this](size_t) { FailOnce(); };
  Start();
  ExpectOutOfMemory(Extract(request).status);
  EXPECT_EQ(engine_.batches().size(), 1u);
  ExpectItGoesOn();
}

TEST_F(OutOfMemoryTest, InTheEngineRefusesTheCallsOfTheBatch) {
  engine_.result = OutOfMemory();
  Start();
  ExpectOutOfMemory(Extract(TextRequest("ab")).status);
}

TEST(FinalStatusTest, NeedsNoMemoryToSayThatThereIsNone) {
  const absl::Status status = OutOfMemory();
  grpc::Status described, bare;
  std::thread([&] {  // a thread that is not spared
    grpc::CallbackServerContext context;
    described = FinalStatus(status, &context);
    const FailingAllocations none(1);
    bare = FinalStatus(status, &context);
  })
      .join();
  EXPECT_EQ(ReasonOf(described), "OUT_OF_MEMORY");
  EXPECT_EQ(bare.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(bare.error_message(), "out of memory");
}

}  // namespace
}  // namespace hydrophone
